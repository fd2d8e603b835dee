"""The code filter from a row to a verdict in real sandboxes; its labelled cases are in `cases/`."""

import json
import sys

import pytest
from pydantic import ValidationError

from potstill.filters import code as code_module
from potstill.filters.code import Code
from potstill.filters.keyed import KeyedFilter
from potstill.filters.sandbox.execution import Report, RunnerMissing, SandboxFault
from potstill.filters.sandbox.settings import Settings
from potstill.pipeline.errors import PotstillError, RequestError, StepFailed
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.fingerprint import canonical_json
from potstill.pipeline.outcome import Crashed, Done, OutOfMemory, Raised, TimedOut
from potstill.pipeline.sample import new_sample
from potstill.pipeline.verdict import Verdict
from potstill.pipeline.workers import LEAST_WALL_SECONDS, WALL_PER_CPU_SECOND

SENTENCE = "I accept that programs written by a model run with my rights, my files and my network."


def key(*cases, **fields):
    found = [{"args": list(args), "expected": expected} for args, expected in cases]
    return json.dumps({"kind": "calls", "entry_point": "f", "cases": found, **fields})


def stdio(*cases):
    found = [{"stdin": given, "stdout": told} for given, told in cases]
    return json.dumps({"kind": "stdio", "cases": found})


def row(program, answer, tag="python"):
    completion = f"<think>Über…</think>\n```{tag}\n{program}\n```\n"
    return new_sample((), completion=completion, answer=answer)


@pytest.fixture(scope="module")
def judge():
    with Code(cpu_seconds=1, wall_seconds=3).open(JudgeContext()) as judging:
        yield judging


def ask(judging, program, answer, tag="python"):
    return judging.judge([row(program, answer, tag)])[0]


def test_the_evidence_shows_the_program_and_the_first_case_that_failed(judge):
    sample = row("def f(x):\n    return x + 1", key(((1,), 2), ((2,), 4), ((3,), 5)))
    (verdict,) = judge.judge([sample])
    start, end = verdict.evidence["program"]
    assert sample.completion[start:end] == "def f(x):\n    return x + 1\n"
    assert dict(verdict.evidence) | {"program": None} == {
        "program": None,
        "blocks": 1,
        "language": "python",
        "cases": 3,
        "passed": 1,
        "checked": "outside",
        "failed": {"case": 1, "outcome": "wrong", "value": "3"},
    }


def test_the_evidence_of_what_was_printed(judge):
    verdict = ask(judge, "print(1)\nprint('x\\x1b' * 300)", stdio(("", "1\n2\n")))
    failed = verdict.evidence["failed"]
    assert (failed["line"], failed["lines"]) == (2, 2)
    assert failed["stdout"].startswith(r"x\x1bx")
    assert len(failed["stdout"]) == 200
    verdict = ask(judge, "raise ValueError('no')", stdio(("", "1\n")))
    assert verdict.evidence["failed"]["stderr"].endswith("ValueError: no")


def test_what_runs_inside_is_marked(judge):
    check = "def check(candidate):\n    x = [candidate(n) for n in (1, 2)]\n    assert sum(x) == 3"
    answer = json.dumps({"kind": "asserts", "entry_point": "f", "code": check})
    verdict = ask(judge, "def f(x):\n    return x", answer)
    assert (verdict.reason, verdict.evidence["checked"]) == ("pass", "in_process")


def test_a_large_value_that_is_expected_fits(judge):
    expected = list(range(100_000))
    assert (
        ask(judge, "def f(n):\n    return list(range(n))", key(((100_000,), expected))).score == 1
    )
    ones = '{"kind":"calls","entry_point":"f","cases":[{"expected":[%s1]}]}' % ("1," * 99_999)
    assert ask(judge, "def f():\n    return [1.0] * 100_000", ones).score == 1
    floats = [each / 8 for each in range(50_000)]
    program = "def f(n):\n    return [each / 8 for each in range(n)]"
    assert ask(judge, program, key(((50_000,), floats))).score == 1
    long = "a" * 1_000_000
    assert ask(judge, "print(input())", stdio((long, long))).score == 1


def test_the_program_sees_its_inputs_and_nothing_expected(judge):
    token = "s3cr3t-expected-value"
    program = (
        "import gc, os, sys\n"
        "def f(given):\n"
        "    frame, seen = sys._getframe(), []\n"
        "    while frame:\n"
        "        seen += [repr(frame.f_locals), repr(frame.f_globals)]\n"
        "        frame = frame.f_back\n"
        "    seen += [repr(each) for each in gc.get_objects()]\n"
        "    told = ''.join(seen)\n"
        "    return [given in told, '-'.join(['s3cr3t', 'expected', 'value']) in told]"
    )
    verdict = ask(judge, program, key((("given-1",), token)))
    # The whole token does not stand in the program's own source: it could only come from outside.
    assert verdict.evidence["failed"]["value"] == "[True, False]"


def test_the_number_of_workers_the_order_and_the_mode_change_no_verdict():
    programs = [
        "def f(x):\n    return x * 2",
        "def f(x):\n    return {str(x), 'a', 'b', 'c'}",
        "def f(x):\n    return object()",
        "def f(x):\n    raise ValueError(object())",
        "import os\ndef f(x):\n    os._exit(0)",
        "import random\ndef f(x):\n    return random.random()",
        "def f(x):\n    print('x' * 10**6)",
    ]
    rows = [row(each, key(((1,), 2), ((2,), 4))) for each in programs]
    verdicts = []
    for mode, workers in (("warm", 1), ("warm", 2), ("oneshot", 2)):
        with Code(cpu_seconds=1, mode=mode).open(JudgeContext(workers=workers)) as judging:
            verdicts.append(judging.judge(rows))
            verdicts.append(judging.judge(rows[::-1])[::-1])
    assert all(each == verdicts[0] for each in verdicts)
    assert [each.score for each in verdicts[0]] == [1.0] + [0.0] * 6


def test_a_hostile_program_costs_no_neighbour(judge):
    good = row("def f(x):\n    return x", key(((1,), 1)))
    bad = [
        row(f"import os\n{each}\ndef f(x):\n    return x", key(((1,), 1)))
        for each in ("os.kill(os.getppid(), 9)", "os.abort()", "while True: pass", "[0] * 10**11")
    ]
    verdicts = judge.judge([each for one in bad for each in (good, one, good)])
    assert [verdicts[n].score for n in range(0, 12)] == [1.0, 0.0, 1.0] * 4


# Config and identity


def test_how_and_where_it_runs_is_no_identity():
    plain = Code().identity()
    assert Code(mode="oneshot").identity() == plain
    assert Code(python=sys.executable).identity() == plain
    assert sys.executable not in canonical_json(Code(python=sys.executable).identity())
    where = {"remote_url": "http://sandbox:1", "remote_key_env": "KEY"}
    remote = Code(backend="remote", **where).identity()
    assert remote != plain
    assert remote == Code(backend="remote", remote_url="http://elsewhere:2").identity()


def test_what_decides_verdicts_is_identity():
    plain = Code().identity()
    assert plain["python"] == f"{sys.version_info.major}.{sys.version_info.minor}"
    changes = (
        {"score": "share"},
        {"blocks": "only"},
        {"language": "cpp"},
        {"cpu_seconds": 6},
        {"wall_seconds": 21},
        {"memory_mb": 600},
        {"output_kb": 300},
        {"packages": ("numpy",)},
        {"whitespace": "exact"},
        {"float_tolerance": 1e-9},
        {"unsafe_no_isolation": SENTENCE},
    )
    for change in changes:
        assert Code(**change).identity() != plain, change


def test_an_interpreter_that_is_none_is_refused():
    with pytest.raises(RequestError, match="no Python interpreter"):
        Code(python="/no/such/python").identity()


def test_no_isolation_takes_the_whole_sentence():
    assert Code(unsafe_no_isolation=SENTENCE).settings().unsafe_no_isolation == SENTENCE
    for sentence in ("yes", "true", "", SENTENCE.lower(), SENTENCE[:-1], SENTENCE + " "):
        with pytest.raises((PotstillError, ValidationError), match="I accept that programs"):
            Code(unsafe_no_isolation=sentence)


@pytest.mark.parametrize(
    "field",
    [
        *({"cpu_seconds": 0}, {"wall_seconds": 0}, {"memory_mb": 1}, {"output_kb": 0}),
        *({"score": "some"}, {"blocks": "first"}, {"language": ""}, {"float_tolerance": -1}),
        *({"float_tolerance": float("inf")}, {"backend": "docker"}, {"mode": "hot"}),
    ],
)
def test_settings_that_mean_nothing_are_refused(field):
    with pytest.raises(ValidationError):
        Code(**field)


def test_names_of_languages_are_understood():
    assert Code(language="Python3").language == "python"
    assert Code(language="C++").language == "cpp"


def test_the_settings_reach_the_sandbox():
    made = Code(packages=("numpy",), mode="oneshot", python="/usr/bin/python3")
    assert made.settings() == Settings(
        packages=("numpy",), mode="oneshot", python="/usr/bin/python3"
    )


def test_the_net_for_waiting_outlasts_the_slowest_program():
    for wall in (1.0, 20.0, 600.0):
        limits = Code(wall_seconds=wall).limits()
        net = max(LEAST_WALL_SECONDS, limits.cpu_seconds * WALL_PER_CPU_SECOND)
        slowest = (10 + 2) * wall  # all cases together, and what had just begun, twice
        assert net > 1.5 * slowest


# What is nobody's score


def test_judging_stops_before_any_program_where_the_sandbox_does_not_hold(monkeypatch):
    def not_isolated(settings, note):
        raise StepFailed(f"does not hold with {settings.mode}")

    monkeypatch.setattr(code_module, "ensure_isolated", not_isolated)
    with pytest.raises(StepFailed, match="does not hold with oneshot"):
        Code(mode="oneshot").open(JudgeContext())


class Broken:
    """A sandbox that fails as it is told."""

    def __init__(self, error):
        self.error, self.asked = error, []

    def execute(self, execution, *, alone=False):
        self.asked.append(alone)
        if isinstance(self.error, Report):
            return self.error
        raise self.error


@pytest.mark.parametrize(
    ("error", "score", "reason", "asked"),
    [
        (SandboxFault("/home/someone is full"), None, "sandbox_error", [False, True]),
        (RunnerMissing("no such compiler"), None, "runner_missing", [False]),
        (Report("exit", 0), 0.0, "no_result", [False]),
    ],
)
def test_a_broken_sandbox_is_no_score(monkeypatch, error, score, reason, asked):
    broken = Broken(error)
    monkeypatch.setattr(code_module, "_sandbox", lambda settings: broken)
    verdict = Code().judge_one(row("def f(x):\n    return x", key(((1,), 1))))
    assert (verdict.score, verdict.reason, broken.asked) == (score, reason, asked)
    assert "/home" not in json.dumps(dict(verdict.evidence))


def test_a_share_is_unknown_as_a_whole_if_the_sandbox_fails_on_a_part(monkeypatch):
    class BreaksLater(Broken):
        def execute(self, execution, *, alone=False):
            self.asked.append(alone)
            if len(self.asked) == 1:
                return Report("exit", 0, stdout=b"1")
            raise self.error

    broken = BreaksLater(SandboxFault("x"))
    monkeypatch.setattr(code_module, "_sandbox", lambda settings: broken)
    verdict = Code(score="share").judge_one(row("print(1)", stdio(("", "1"), ("", "1"))))
    assert (verdict.score, verdict.reason) == (None, "sandbox_error")


@pytest.mark.parametrize(
    ("outcome", "control", "score", "reason"),
    [
        (TimedOut(1.0), Done(Verdict(0.0, "runtime_error")), 0.0, "output_limit"),
        (OutOfMemory(1), Done(Verdict(0.0, "runtime_error")), 0.0, "output_limit"),
        (OutOfMemory(1), Done(Verdict(None, "unreadable_key")), None, "sandbox_error"),
        (OutOfMemory(1), OutOfMemory(1), None, "sandbox_error"),
        (TimedOut(1.0), None, None, "sandbox_error"),
        (Crashed("killed by SIGKILL"), Done(Verdict(0.0, "wrong")), None, "sandbox_error"),
        (Raised("KeyError", ""), Done(Verdict(0.0, "wrong")), None, "sandbox_error"),
    ],
)
def test_whose_fault_a_worker_that_died_is(outcome, control, score, reason):
    verdict = Code().failed(row("", ""), outcome, control)
    assert (verdict.score, verdict.reason) == (score, reason)
    assert verdict.reason in Code.reasons


def test_the_control_is_the_same_key_with_a_program_that_does_nothing(judge):
    sample = row("def f(x):\n    return x", key(((1,), 1)))
    control = Code().control(sample)
    assert control.answer == sample.answer
    assert judge.judge([control])[0].reason == "runtime_error"


# Keys asked about themselves


@pytest.mark.parametrize(
    "answer",
    [
        key(((1, 2), 3), (([1, {"a": None}],), {"b": [True, 1.5]}), ((), "```python")),
        key(((1,), float("nan")), ((2,), 2**70)),
        stdio(("1 2\n", "3\n"), ("", "```\n"), ("ä", "😀 \x00\n")),
        json.dumps({"kind": "asserts", "entry_point": "f", "code": "assert f(1) == [2, (3,)]"}),
        json.dumps(
            {"kind": "calls", "entry_point": "S.f", "cases": [{"args": [1], "expected": 2}]}
        ),
    ],
)
def test_a_key_is_met_by_what_answers_it(judge, answer):
    assert isinstance(Code(), KeyedFilter)
    verdict = judge.judge([new_sample((), completion=Code().answering(answer), answer=answer)])[0]
    assert (verdict.score, verdict.reason) == (1.0, "pass"), verdict


def test_a_key_that_contradicts_itself_is_found(judge):
    answer = key(((1,), 2), ((1,), 3))
    verdict = judge.judge([new_sample((), completion=Code().answering(answer), answer=answer)])[0]
    assert verdict.score == 0.0


def test_a_key_that_nobody_can_answer_or_read():
    inside = {"kind": "asserts", "entry_point": "f", "code": "for x in f(1):\n    assert x"}
    assert Code().answering(json.dumps(inside)) is None
    assert Code(language="cpp").answering(stdio(("", "1"))) is None
    completion = Code().answering("no key")
    sample = new_sample((), completion=completion, answer="no key")
    assert Code().judge_one(sample).reason == "unreadable_key"
