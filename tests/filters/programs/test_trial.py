"""Trials of a program in a sandbox that does as it is told."""

import json
from dataclasses import dataclass, field

import pytest

from potstill.filters.programs import runs as runs_module
from potstill.filters.programs.checks import (
    AssertsCheck,
    CallCase,
    CallsCheck,
    StdioCase,
    StdioCheck,
)
from potstill.filters.programs.outcomes import Rules
from potstill.filters.programs.runs import STOPS, Runs
from potstill.filters.programs.trial import try_program
from potstill.filters.programs.values import from_json
from potstill.filters.sandbox.execution import (
    Asserts,
    Call,
    Calls,
    Limits,
    Report,
    RunnerMissing,
    SandboxFault,
    Script,
)


@dataclass
class Toy:
    """Answers with the reports it was given, in order; an exception among them is raised."""

    answers: list
    asked: list = field(default_factory=list)
    alone: list = field(default_factory=list)

    def __post_init__(self):
        self.answers = list(self.answers)

    def execute(self, execution, *, alone=False):
        self.asked.append(execution)
        self.alone.append(alone)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def values(*told, ending="exit", code=0, end=True):
    """A report of calls; a text is the name of an exception."""
    events = [
        [n, "raised", each] if isinstance(each, str) else [n, "value", each]
        for n, each in enumerate(told)
    ]
    events += [["end", len(told)]] if end and ending == "exit" and code == 0 else []
    lines = "".join(json.dumps(event) + "\n" for event in events)
    return Report(ending, code, values=lines.encode())


def calls(*expected, **fields):
    cases = [CallCase(Call((n,)), from_json(each)) for n, each in enumerate(expected)]
    return CallsCheck("f", tuple(cases), **fields)


def stdio(*expected, **fields):
    return StdioCheck(tuple(StdioCase(f"{n}\n", each) for n, each in enumerate(expected)), **fields)


def trial(toy, check, **rules):
    runs = Runs(toy, "python", Limits(cpu_seconds=1, wall_seconds=2.0, output_kb=100))
    return try_program("code", check, Rules(**rules), runs, room_kb=7)


def reasons(tried):
    return ["pass" if each is None else each.reason for each in tried.outcomes]


# Calls


def test_all_calls_are_made_in_one_process_which_knows_no_expected_value():
    toy = Toy([values(1, 2)])
    tried = trial(toy, calls(1, 2))
    assert (reasons(tried), tried.passed, tried.cases, tried.first) == (["pass"] * 2, 2, 2, None)
    (execution,) = toy.asked
    assert execution.task == Calls("f", (Call((0,)), Call((1,))))
    assert execution.limits == Limits(cpu_seconds=1, wall_seconds=2.0, output_kb=107)


def test_a_wrong_value_is_wrong_and_types_count():
    tried = trial(Toy([values(1, True, 3)]), calls(1, 1, 3), score="share")
    assert reasons(tried) == ["pass", "wrong", "pass"]
    assert tried.first[0] == 1
    assert tried.first[1].detail == {"value": "True"}


def test_where_all_have_to_pass_the_first_failure_ends_it():
    tried = trial(Toy([values(1, 7, 3, 7)]), calls(1, 2, 3, 4))
    assert (reasons(tried), tried.passed, tried.cases) == (["pass", "wrong"], 1, 4)
    tried = trial(Toy([values(1, ending="signal", code=11)]), calls(1, 2, 3))
    assert reasons(tried) == ["pass", "runtime_error"]


def test_where_shares_count_the_calls_behind_a_death_are_made_in_a_new_process():
    toy = Toy([values(1, ending="exit", code=3), values(end=False), values(3, 7)])
    tried = trial(toy, calls(1, 2, 3, 3, 4), score="share")
    assert reasons(tried) == ["pass", "runtime_error", "no_result", "pass", "wrong"]
    assert [each.task.calls[0].args[0] for each in toy.asked] == [0, 2, 3]


def test_a_program_that_is_stopped_again_and_again_is_not_run_again():
    stopped = [values(ending="cpu") for _ in range(STOPS)]
    tried = trial(Toy(stopped), calls(*range(9)), score="share")
    assert reasons(tried) == ["timeout"] * 9
    tried = trial(Toy([values(ending="memory"), values(1, 2)]), calls(0, 1, 2), score="share")
    assert reasons(tried) == ["memory", "pass", "pass"]


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (Report("exit", 0, values=b'["setup", "raised", "SyntaxError"]\n'), "runtime_error"),
        (Report("exit", 0, values=b'["setup", "missing", "f"]\n'), "runtime_error"),
        (Report("exit", 0, values=b'["end", 3]\n'), "protocol_violation"),
        (values(0, 1, 2, ending="output"), "output_limit"),
    ],
)
def test_what_would_fare_no_better_is_not_run_again(report, reason):
    assert reasons(trial(Toy([report]), calls(0, 1, 2), score="share")) == [reason] * 3


def test_tolerance_of_the_key_goes_before_that_of_the_config():
    near = Report(
        "exit", 0, values=b'[0, "value", {"float": "0x1.0000000000001p+0"}]\n["end", 1]\n'
    )
    for key, config, reason in ((None, 0.0, "wrong"), (None, 1e-6, "pass"), (0.0, 1e-6, "wrong")):
        check = calls(1.0, float_tolerance=key)
        assert reasons(trial(Toy([near]), check, float_tolerance=config)) == [reason]


# Second attempts and the end of it all


def test_a_fault_of_the_sandbox_is_tried_once_more_alone():
    toy = Toy([SandboxFault("x"), values(1)])
    assert reasons(trial(toy, calls(1))) == ["pass"]
    assert toy.alone == [False, True]
    for check in (calls(1), stdio("1")):
        with pytest.raises(SandboxFault):
            trial(Toy([SandboxFault("x"), SandboxFault("y")]), check)


def test_too_long_by_the_clock_is_tried_once_more_alone_and_cpu_time_is_not():
    toy = Toy([Report("wall"), values(1)])
    assert reasons(trial(toy, calls(1))) == ["pass"]
    assert toy.alone == [False, True]
    assert reasons(trial(Toy([Report("wall"), Report("wall")]), calls(1))) == ["timeout"]
    toy = Toy([Report("cpu")])
    assert reasons(trial(toy, stdio("1"))) == ["timeout"]
    assert toy.alone == [False]


def test_a_missing_runner_is_told():
    with pytest.raises(RunnerMissing):
        trial(Toy([RunnerMissing("no compiler")]), stdio("1"))


def test_thousands_of_slow_cases_end(monkeypatch):
    clock = iter(range(0, 10_000, 3))
    monkeypatch.setattr(runs_module.time, "monotonic", lambda: next(clock))
    toy = Toy([Report("exit", 0, stdout=b"1") for _ in range(100)])
    for score, count in (("share", 100), ("all", 100)):
        tried = trial(toy, stdio(*["1"] * 100), score=score)
        assert tried.cases == count
        assert tried.first[1].reason == "timeout"
        assert 0 < tried.passed < 20


def test_the_last_case_may_use_up_the_time(monkeypatch):
    clock = iter([0, 1000])
    monkeypatch.setattr(runs_module.time, "monotonic", lambda: next(clock))
    assert reasons(trial(Toy([Report("exit", 0, stdout=b"1")]), stdio("1"))) == ["pass"]


# Stdio


def test_every_case_is_a_process_of_its_own():
    toy = Toy([Report("exit", 0, stdout=b"a\n"), Report("exit", 0, stdout=b"b\n")])
    assert reasons(trial(toy, stdio("a", "b"))) == ["pass", "pass"]
    assert [each.task for each in toy.asked] == [Script("0\n"), Script("1\n")]


def test_right_output_of_a_program_that_fails_is_not_enough():
    for report, reason in (
        (Report("exit", 1, stdout=b"a", stderr=b"Traceback\nValueError: x\n"), "runtime_error"),
        (Report("signal", 9, stdout=b"a"), "runtime_error"),
        (Report("cpu", stdout=b"a"), "timeout"),
        (Report("output", stdout=b"a"), "output_limit"),
        (Report("memory", stdout=b"a"), "memory"),
    ):
        assert reasons(trial(Toy([report]), stdio("a"))) == [reason]
    tried = trial(
        Toy([Report("exit", 1, stderr=b"at 0x7f12345678\nValueError: \x1b[1m")]), stdio("")
    )
    assert tried.first[1].detail == {"exit_status": 1, "stderr": "at 0x…\nValueError: \\x1b[1m"}


def test_shares_of_stdio():
    reports = [Report("exit", 0, stdout=each) for each in (b"a", b"x", b"c")]
    tried = trial(Toy(reports), stdio("a", "b", "c"), score="share")
    assert reasons(tried) == ["pass", "wrong", "pass"]
    assert tried.first[1].detail == {"line": 1, "stdout": "x", "lines": 1}
    assert reasons(trial(Toy(reports[:2]), stdio("a", "b", "c"))) == ["pass", "wrong"]
    stops = [Report("cpu"), Report("exit", 0, stdout=b"b"), Report("cpu"), Report("cpu")]
    tried = trial(Toy(stops), stdio(*"abcdef"), score="share")
    assert reasons(tried) == ["timeout", "pass", *["timeout"] * 4]


def test_whitespace_of_the_key_goes_before_that_of_the_config():
    report = Report("exit", 0, stdout=b"a\n")
    for key, config, reason in (
        (None, "lines", "pass"),
        (None, "exact", "wrong"),
        ("lines", "exact", "pass"),
        ("exact", "lines", "wrong"),
    ):
        tried = trial(Toy([report]), stdio("a", whitespace=key), whitespace=config)
        assert reasons(tried) == [reason]


def test_there_is_room_for_what_is_expected():
    toy = Toy([Report("exit", 0, stdout=b"a" * 300_000)])
    assert reasons(trial(toy, stdio("a" * 300_000))) == ["pass"]
    assert toy.asked[0].limits.output_kb << 10 > 300_000 + (100 << 10)


# Asserts


def asserts(code):
    return AssertsCheck("f", code)


def test_asserts_that_could_be_rewritten_are_calls():
    toy = Toy([values(2, 3)])
    tried = trial(toy, asserts("assert f(1) == 2\nassert f(2) == 4"))
    assert reasons(tried) == ["pass", "wrong"]
    assert tried.in_process is False
    assert tried.first[1].detail["assert"] == "assert f(2) == 4"
    assert isinstance(toy.asked[0].task, Calls)


def inside():
    """Asserts with a part that nobody can rewrite."""
    return asserts("assert f(1) == 2\nfor x in open('x'):\n    assert f(x) == x")


@pytest.mark.parametrize(
    ("report", "reason"),
    [
        (values(True), "pass"),
        (values(1), "protocol_violation"),
        (values(False), "protocol_violation"),
        (values("AssertionError"), "wrong"),
        (values("KeyError"), "runtime_error"),
        (values(ending="cpu"), "timeout"),
        (values(True, end=False), "no_result"),
    ],
)
def test_what_could_not_runs_inside_and_is_marked(report, reason):
    toy = Toy([values(2), report])
    tried = trial(toy, inside())
    assert tried.in_process
    assert reasons(tried)[-1] == reason
    assert isinstance(toy.asked[-1].task, Asserts)


def test_nothing_runs_inside_once_a_call_has_failed_unless_shares_count():
    assert reasons(trial(Toy([values(7)]), inside())) == ["wrong"]
    shares = trial(Toy([values(7), values(True)]), inside(), score="share")
    assert reasons(shares) == ["wrong", "pass"]
