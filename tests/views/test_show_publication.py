"""What `publish` shows: plain in a pipe, hostile names harmless, the next command named."""

from __future__ import annotations

import io
from typing import Any

import pytest

from potstill.views.show_publication import show_publication
from potstill.views.terminal import make_console

FACTS: dict[str, Any] = {
    "step": "out",
    "address": "1a2b3c4d",
    "digest": "0123456789abcdef" * 4,
    "repository": "ann/sums",
    "type": "dataset",
    "exists": True,
    "why_unknown": None,
    "private": False,
    "files": [
        {"name": "README.md", "bytes": 1234, "change": "changed"},
        {"name": "data/\x1b[31mx.parquet", "bytes": 5_000_000, "change": "new"},
        {"name": "data/old.parquet", "bytes": None, "change": "removed"},
    ],
    "card_head": ["---", "license: \x1b]0;mit\x07"],
    "findings": {"counts": {}, "examples": []},
    "stopped_by": {},
    "refused": False,
    "uploaded": False,
    "revision": None,
    "load": None,
}
FINDING = {
    "kind": "email", "file": "data/x", "column": "messages.content", "row": "ab12",
    "excerpt": "j…@gmail.com",
}  # fmt: skip
FOUND = {"counts": {"email": 7, "phone": 1}, "examples": [FINDING] * 7}
REVISION = "0123456789abcdef"


class Found:
    def __init__(self, **changes: Any) -> None:
        self._changes = changes

    def facts(self) -> dict[str, Any]:
        return {**FACTS, **self._changes}


def shown(**changes: Any) -> str:
    stream = io.StringIO()
    show_publication(make_console(stream), Found(**changes))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "out-1a2b3c4d → dataset ann/sums\nthe repository exists, public\n"),
        ({}, "3 files, 5.0 MB; 5.0 MB differ"),
        ({}, "found nothing"),
        ({}, "Nothing was uploaded. Add --yes to do it."),
        ({"exists": False, "private": True}, "does not exist; it would be made, private"),
        ({"exists": None, "why_unknown": "offline"}, "unknown whether the repository exists: off"),
        (
            {"files": [{"name": "x", "bytes": 1, "change": "unknown"}]},
            "1 file, 1 B; how much of it differs is unknown",
        ),
        ({"findings": FOUND, "stopped_by": {"email": 7}}, "email  7  stops the upload"),
        ({"findings": FOUND, "stopped_by": {"email": 7}}, "phone  1  does not stop it"),
        ({"findings": FOUND}, "  data/x row ab12 messages.content: j…@gmail.com\n"),
        ({"refused": True, "stopped_by": {"email": 7}}, "with --allow email\n"),
        (
            {"uploaded": True, "revision": REVISION, "load": f"load: {{source: hub:x@{REVISION}}}"},
            f"uploaded: ann/sums@{REVISION}\nload: {{source: hub:x@{REVISION}}}\n",
        ),
        ({"revision": REVISION, "load": "load: x"}, "nothing to upload, it is there already"),
    ],
)
def test_what_is_said(changes: dict[str, Any], expected: str) -> None:
    assert expected in shown(**changes)


def test_nothing_acts_on_a_terminal() -> None:
    assert "\x1b" not in shown()
    assert "\x07" not in shown()


def test_few_findings_and_files_are_shown() -> None:
    many = [{"name": f"data/{n}", "bytes": 1, "change": "same"} for n in range(100)]
    text = shown(files=many, findings=FOUND)
    assert text.count("j…@gmail.com") == 5
    assert "… and 60 more (--json names all)" in text
