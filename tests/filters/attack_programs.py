"""The hostile and the honest programs in `sandbox/attacks/`, as rows to judge.

Each file is a program as a model would write it. Its first comment lines say how it is judged:

    # class: 7 network                    the attack class of the reference
    # check: calls | stdio | asserts | inside | probe
    # reasons: wrong timeout              the verdicts that are right; honest programs have none
    # proof: what shows that nothing happened
    # cases: [[[2, 3], 5]]                instead of sums; stdio: [[stdin, stdout]]
    # patient: yes                        needs more time than the others
    # teeth: yes                          gains what it wants where nothing isolates it

An attack returns the right answer exactly if it got what it wanted, so it must never pass. A probe
tells what it could do and must say nothing. `inside` are asserts that cannot be rewritten to calls.
Words between @ signs stand for what `attack_stage.py` puts up: a folder, ports, the answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from attack_stage import Stage

from potstill.pipeline.sample import Sample, new_sample

FOLDER: Final = Path(__file__).parent / "sandbox" / "attacks"
_HEAD: Final = (
    *(
        "class",
        "check",
        "reasons",
        "proof",
        "cases",
        "args",
        "answer",
        "entry",
        "tolerance",
        "code",
    ),
    *("packages", "patient", "machine", "teeth", "odd", "weak"),
)
"""What the first lines say; it is not part of the program, which must not see its answers."""
OUTPUT_KB: Final = 64
SUMS: Final = [[[2, 3], 5], [[10, -4], 6]]
_ASSERTS: Final = (
    "def check(candidate):\n    assert candidate(2, 3) == 5\n    assert candidate(10, -4) == 6\n"
)
_INSIDE: Final = """def check(candidate):
    first = candidate(0, 0)
    while first < 3:
        assert candidate(first, 1) == first + 1
        first = candidate(first, 1)
"""
_LARGE: Final = {
    "@NUL@": "\0",
    "@SURROGATE@": "\ud800",
    "@TEN_MEGABYTES@": "x" * 10_000_000,
    "@MANY_PARENTHESES@": "(" * 100_000 + "0" + ")" * 100_000,
    "@LONG_INPUT@": "7" * 1_000_000,
    "@THOUSAND_LINES@": "".join(f"{number}\\n" for number in range(1000)),
    '"@TWENTY_THOUSAND@"': json.dumps(list(range(20_000))),
    "@OUTPUT_KB@": str(OUTPUT_KB),
}


@dataclass(frozen=True)
class Program:
    """One file."""

    name: str
    head: dict[str, str]
    text: str

    @property
    def reasons(self) -> set[str]:
        """The verdicts that are right."""
        return set(self.head.get("reasons", "pass").split())

    @property
    def is_attack(self) -> bool:
        """Whether it may never pass."""
        return "reasons" in self.head and not (self.head.keys() & {"odd", "weak"})

    @property
    def number(self) -> int:
        """Of the attack class; 0 for honest programs."""
        return int(self.head.get("class", "0").split()[0])

    def sample(self, stage: Stage | None = None, **fields: Any) -> Sample:
        """The row to judge, as a reasoning model would have written it."""
        filled = _filled(self.text, stage)
        completion = f"<think>Let me see.</think>Here:\n\n```python\n{filled}\n```\n"
        key = json.loads(_filled(json.dumps(self.key()), stage))
        return new_sample((), completion=completion, answer=json.dumps(key), **fields)

    def key(self) -> dict[str, Any]:
        """The content of `Sample.answer`, without what is filled in."""
        check = self.head["check"]
        cases = json.loads(_filled(self.head.get("cases", "null")))
        if check == "stdio":
            pairs = cases or [["2 3\n", "5\n"], ["10 -4\n", "6\n"]]
            return {"kind": "stdio", "cases": [{"stdin": a, "stdout": b} for a, b in pairs]}
        if check in ("asserts", "inside"):
            usual = _ASSERTS if check == "asserts" else _INSIDE
            code = json.loads(self.head.get("code", json.dumps(usual)))
            return {"kind": "asserts", "entry_point": "solve", "code": code}
        if check == "probe":
            args = json.loads(self.head.get("args", "[]"))
            cases = [[args, json.loads(self.head["answer"])]]
        found = [{"args": args, "expected": expected} for args, expected in cases or SUMS]
        key = {"kind": "calls", "entry_point": self.head.get("entry", "solve"), "cases": found}
        if "tolerance" in self.head:
            key["float_tolerance"] = float(self.head["tolerance"])
        return key


def _filled(text: str, stage: Stage | None = None) -> str:
    words = _LARGE if stage is None else {**_LARGE, **stage.words()}
    for word, meaning in words.items():
        text = text.replace(word, meaning)
    return text


@cache
def programs() -> tuple[Program, ...]:
    """All files, in the order of their names."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.py")))


def _read(path: Path) -> Program:
    text = path.read_text(encoding="utf-8")
    head, body = {}, []
    for line in text.splitlines(keepends=True):
        name, found, value = line.removeprefix("# ").partition(": ")
        if not body and line.startswith("# ") and found and name in _HEAD:
            head[name] = value.strip()
        else:
            body.append(line)
    return Program(path.stem, head, "".join(body))
