"""What stood between programs and the machine is on record with every verdict on code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from potstill.filters.sandbox.backends import ACCEPTANCE

KEY = {"kind": "calls", "entry_point": "f", "cases": [{"args": [1], "expected": 2}]}
ROWS = [
    {"completion": f"<think>a</think>\n```python\ndef f(x): return x {sign} 1\n```", "answer": KEY}
    for sign in "+-"
]
RECIPE = """
potstill: 1
name: recorded
filters:
  code: {kind: "potstill.filters.code:Code", SETTING}
steps:
  rows: {load: {source: ./rows.jsonl}}
  verdicts: {judge: {samples: rows, filters: [code]}}
"""


def run(folder: Path, setting: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Manifest and `about.json` of a judging step run from the command line, and all it said."""
    lines = [json.dumps({"prompt": "p", **row, "answer": json.dumps(KEY)}) for row in ROWS]
    (folder / "rows.jsonl").write_text("\n".join(lines))
    (folder / "recipe.yaml").write_text(RECIPE.replace("SETTING", setting))
    command = [sys.executable, "-m", "potstill.cli", "run", "recipe.yaml", "--work", "work"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("work/**/verdicts-*/manifest.json")
    about = made.parent / "verdicts" / "code" / "about.json"
    said = [done.stderr, *(log.read_text() for log in folder.glob("work/**/*.log"))]
    return json.loads(made.read_text()), json.loads(about.read_text()), "".join(said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "sentence"),
    [("backend: bubblewrap", None), (f"unsafe_no_isolation: {ACCEPTANCE!r}", ACCEPTANCE)],
    ids=["isolated", "without"],
)
def test_every_manifest_says_how_programs_were_isolated(
    bubblewrap: str, tmp_path: Path, setting: str, sentence: str | None
) -> None:
    manifest, about, told = run(tmp_path, setting)
    assert about["reasons"] == {"pass": 1, "wrong": 1}
    for recorded in (manifest["identity"]["filters"]["code"], about["filter"]):
        assert recorded["config"]["backend"] == "bubblewrap"
        assert recorded["config"]["unsafe_no_isolation"] == sentence
    assert ("WITHOUT ISOLATION" in told) == (sentence is not None)


def test_isolation_is_identity() -> None:
    """Verdicts made without it are not taken over where it is asked for."""
    from potstill.filters.code import Code
    from potstill.pipeline.verdicts import fingerprint

    assert fingerprint(Code().identity()) != fingerprint(
        Code(unsafe_no_isolation=ACCEPTANCE).identity()
    )
