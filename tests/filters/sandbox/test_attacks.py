"""Every program in `attacks/` through the real filter: what it may be judged, and what it reached.

All are judged at once, hostile ones beside honest ones, as in a file of completions. After that the
stage is looked at: listeners, a folder that all may write to, tokens, processes.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attack_programs import OUTPUT_KB, Program, programs
from attack_stage import ENVIRONMENT_NAME, Stage, set_stage
from census import adopted_orphans, alive, within

from potstill.filters.code import Code
from potstill.filters.sandbox.backends import ACCEPTANCE
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Sample, new_sample
from potstill.pipeline.verdict import Verdict

LIMITS: dict[str, Any] = {"cpu_seconds": 1, "wall_seconds": 3.0, "output_kb": OUTPUT_KB}
RUNNABLE = [
    each
    for each in programs()
    if each.head.get("machine", os.uname().machine) == os.uname().machine
]
KINDS: dict[str, dict[str, Any]] = {
    "quick": {},
    "packages": {"packages": ("numpy",)},
    "patient": {"cpu_seconds": 5, "wall_seconds": 10.0, "memory_mb": 128},
}
FORGED_VALUES = (
    """NaN|-Infinity|1e999999999|{"float":"0x1p999999999"}|{"float":"nan(1)"}|{"float":5}
{"int":"0x"}|{"int":"\\xd9\\xa1"}|{"int":1e3}|{"float":"1e400"}|{"complex":["nan"]}|-0|{"int":true}
{"dict":[[1]]}|{"dict":[[[],1]]}|{"dict":{"a":1}}|{"set":[[1],[1]]}|{"set":[{"set":[]}]}|{"tuple":5}
{"bytes":"zz"}|{"bytes":"0"}|{}|{"tuple":[],"set":[]}|{"unknown":1}|{"other":{}}|{"other":"a"}
{"int":"0x1","int":"0x2"}|"\\\\ud800"|"\\\\u0000"|"\\xff"|{"dict":[["a",1],["a",2]]}|[[[[]]]]|tru|nul
{"float":"0x1.8p+0 "}|{"float":"infinity"}|{"int":"0x5 "}|{"int":"0b101"}|"5"|5.0000000000000001
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


@pytest.fixture(autouse=True, scope="module")
def orphans() -> Iterator[None]:
    with adopted_orphans():
        yield


def judged(rows: list[Sample], workers: int = 2, **config: Any) -> list[Verdict]:
    with Code(**(LIMITS | config)).open(JudgeContext(workers=workers)) as judge:
        return judge.judge(rows)


def kind_of(program: Program) -> str:
    """With which config a program is judged."""
    return next((kind for kind in KINDS if kind in program.head), "quick")


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with set_stage() as made:
        yield made


@pytest.fixture(scope="module")
def others() -> set[int]:
    """Processes that earlier tests of this run have left waiting, such as an engine's helpers."""
    return alive()


@pytest.fixture(scope="module")
def verdicts(others: set[int], bubblewrap: str, stage: Stage) -> dict[str, Verdict]:
    """All verdicts by the name of the program, with the canary in the environment of the judge."""
    os.environ[ENVIRONMENT_NAME] = stage.token
    found = {}
    try:
        for kind, config in KINDS.items():
            chosen = [each for each in RUNNABLE if kind_of(each) == kind]
            outcome = judged([each.sample(stage) for each in chosen], **config)
            found |= dict(zip([each.name for each in chosen], outcome, strict=True))
    finally:
        del os.environ[ENVIRONMENT_NAME]
    return found


def told(verdict: Verdict) -> str:
    return json.dumps(dict(verdict.evidence), ensure_ascii=False)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("program", RUNNABLE, ids=lambda program: program.name)
def test_a_program_gets_the_verdict_it_should(
    verdicts: dict[str, Verdict], program: Program
) -> None:
    verdict = verdicts[program.name]
    assert verdict.reason in program.reasons, told(verdict)
    assert verdict.score == (1.0 if verdict.reason == "pass" else 0.0), told(verdict)
    checked = "in_process" if program.head["check"] == "inside" else "outside"
    if "checked" in verdict.evidence and "code" not in program.head:
        assert verdict.evidence["checked"] == checked


def test_no_attack_passes(verdicts: dict[str, Verdict]) -> None:
    attacks = [each for each in RUNNABLE if each.is_attack]
    assert not [each.name for each in attacks if verdicts[each.name].score != 0.0]
    assert len(attacks) > 150


@pytest.mark.parametrize("number", range(1, 13))
def test_every_class_has_at_least_two_programs(number: int) -> None:
    count = Counter(each.number for each in programs() if each.is_attack or "answer" in each.head)
    assert count[number] >= 4


def test_nobody_was_reached(verdicts: dict[str, Verdict], stage: Stage) -> None:
    assert stage.heard() == []
    assert stage.is_untouched()


def test_no_token_was_seen(verdicts: dict[str, Verdict], stage: Stage) -> None:
    leaks = [name for name, each in verdicts.items() if stage.token in told(each)]
    assert leaks == []
    assert not [name for name, each in verdicts.items() if ENVIRONMENT_NAME in told(each)]


def test_no_process_is_left(verdicts: dict[str, Verdict], others: set[int]) -> None:
    assert within(2.0, lambda: alive() <= others), alive() - others


def test_no_core_file_is_left(verdicts: dict[str, Verdict]) -> None:
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        assert not [each for each in folder.glob("core*") if not each.is_dir()]


def test_the_evidence_is_fit_for_people(verdicts: dict[str, Verdict]) -> None:
    """Short, printable, and without times, numbers of processes, addresses or places of ours."""
    for name, verdict in verdicts.items():
        text = told(verdict)
        assert len(text) < 3000, name
        assert all(sign.isprintable() for sign in text), name
        text.encode()
        assert not re.search(r"0x[0-9a-f]{7,}", text), (name, text)
        assert not re.search(r"/root|/home|/var/tmp|harness\.py|lib/python", text), (name, text)


@pytest.mark.parametrize("forged", FORGED_VALUES)
def test_no_forged_value_makes_the_judge_raise(
    forged_verdicts: dict[str, Verdict], forged: str
) -> None:
    verdict = forged_verdicts[forged]
    assert verdict.score == 0.0
    assert verdict.reason in ("wrong", "protocol_violation"), told(verdict)


@pytest.fixture(scope="module")
def forged_verdicts(bubblewrap: str) -> dict[str, Verdict]:
    key = json.dumps({"kind": "calls", "entry_point": "f", "cases": [{"args": [], "expected": 7}]})
    rows = []
    for value in FORGED_VALUES:
        write = f"""os.write(3, b'[0,"value",{value}]\\n["end",1]\\n')"""
        program = f"import os\n{write}\nos._exit(0)"
        rows.append(new_sample((), completion=f"```python\n{program}\n```", answer=key))
    return dict(zip(FORGED_VALUES, judged(rows), strict=True))


@pytest.mark.parametrize(
    "program", [each for each in RUNNABLE if "teeth" in each.head], ids=lambda each: each.name
)
def test_an_attack_gains_what_it_wants_where_nothing_isolates_it(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise it would prove nothing that it is blocked. Only attacks that do no harm."""
    with set_stage() as stage:
        monkeypatch.setenv(ENVIRONMENT_NAME, stage.token)
        (verdict,) = judged([program.sample(stage)], unsafe_no_isolation=ACCEPTANCE)
    assert verdict.reason == "pass", told(verdict)


def test_how_much_output_counts_is_up_to_what_is_expected(bubblewrap: str) -> None:
    """A right answer longer than the usual limit passes; the same flood of a wrong one does not."""
    lines = "".join(f"{number}\n" for number in range(60_000))
    printed = json.dumps({"kind": "stdio", "cases": [{"stdin": "60000", "stdout": lines}]})
    listed = [{"args": [60_000], "expected": list(range(60_000))}]
    called = json.dumps({"kind": "calls", "entry_point": "f", "cases": listed})
    prints = "```python\nfor n in range(int(input())): print(n)\n```"
    returns = "```python\ndef f(n): return list(range(n))\n```"
    rows = [
        new_sample((), completion=prints, answer=printed),
        new_sample((), completion=returns, answer=called),
    ]
    assert [each.reason for each in judged(rows)] == ["pass", "pass"]
