"""Keys judged as if they had been answered with themselves: accepted, not accepted, not asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from equal_numbers import Equal
from rich.console import Console

from potstill.pipeline.catalog import Catalog
from potstill.stages import STAGES
from potstill.stages.check_keys import check_keys
from potstill.views.verdicts import show_keys


class Shy(Equal):
    """Says nothing of keys that are secret."""

    kind: ClassVar[str] = "shy"

    def answering(self, key: str) -> str | None:
        return None if key.startswith("secret") else super().answering(key)


@pytest.fixture
def told(tmp_path: Path) -> list[dict[str, Any]]:
    keys = ["1/2", "secret 1", "x", "secret 2", None, "3"]
    lines = [json.dumps({"question": f"{n}?", "answer": key}) for n, key in enumerate(keys)]
    lines.insert(3, "no row")
    (tmp_path / "keys.jsonl").write_text("\n".join(lines), encoding="utf-8")
    catalog = Catalog(STAGES, {"shy": Shy})
    return list(check_keys(tmp_path / "keys.jsonl", ["shy"], catalog, 1, work=tmp_path / "work"))


def test_every_row_is_told_in_its_place(told: list[dict[str, Any]]) -> None:
    assert [each["key"] for each in told] == ["1/2", "secret 1", "x", None, "secret 2", None, "3"]
    assert [each["accepted"] for each in told] == [True, None, False, False, None, False, True]
    asked = [each["reason"] for each in told]
    assert asked[:3] == ["correct", "not_asked", "unreadable"]
    assert asked[3].startswith("quarantined:")
    assert asked[4:] == ["not_asked", "unreadable", "correct"]
    assert [each["score"] for each in told] == [1.0, None, 0.0, None, None, 0.0, 1.0]
    assert all(each["filter"] == "shy" for each in told)
    assert told[1]["id"] is not None


def test_what_is_not_asked_is_no_fault(told: list[dict[str, Any]]) -> None:
    console = Console(record=True, width=200)
    assert show_keys(console, told, json=False) == 3
    text = console.export_text()
    assert "7 keys checked, 3 not accepted, 2 that cannot be asked" in text
    assert "secret" not in text
    assert show_keys(console, told[:1], json=False) == 0
    assert "1 key checked, 0 not accepted\n" in console.export_text()
