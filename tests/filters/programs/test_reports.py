"""What a hostile process wrote about its calls, and how it ended."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.programs.reports import Failed, Returned, call_results, ended_badly
from potstill.filters.sandbox.execution import Report

END = ["end", 2]
FIRST, SECOND = [0, "value", 10], [1, "value", 11]


def written(*events, ending="exit", code=0, tail=b""):
    lines = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    return Report(ending, code, values=lines + tail)


def reasons(report, count=2):
    """Value or reason of every call; the rest has failed like the first without a result."""
    results = call_results(report, count)
    told = [each.value if isinstance(each, Returned) else each.reason for each in results.calls]
    return told + [results.ended.reason] * (count - len(told)) if results.ended else told


def test_a_complete_report():
    assert reasons(written(FIRST, SECOND, END)) == [10, 11]
    assert reasons(written(FIRST, [1, "raised", "KeyError"], END)) == [10, "runtime_error"]
    assert reasons(written(FIRST, [1, "raised", "MemoryError"], END)) == [10, "memory"]
    assert reasons(written(["end", 0]), count=0) == []


def test_a_program_that_does_not_load():
    for how, reason in (("SyntaxError", "runtime_error"), ("MemoryError", "memory")):
        results = call_results(written(["setup", "raised", how]), 2)
        assert results.ended == Failed(reason, {"raised": how})
        assert results.hopeless
    results = call_results(written(["setup", "missing", "f"]), 2)
    assert results.ended == Failed("runtime_error", {"missing": "f"})


@pytest.mark.parametrize(
    ("ending", "code", "reason"),
    [
        *(("exit", 0, "no_result"), ("exit", 1, "runtime_error"), ("signal", 11, "runtime_error")),
        *(("cpu", 0, "timeout"), ("wall", 0, "timeout"), ("memory", 0, "memory")),
    ],
)
def test_the_call_that_ended_the_process_has_failed(ending, code, reason):
    assert reasons(written(FIRST, ending=ending, code=code)) == [10, reason]
    assert reasons(written(ending=ending, code=code)) == [reason, reason]
    assert not call_results(written(FIRST, ending=ending, code=code), 2).hopeless


@pytest.mark.parametrize("ending", ["exit", "signal", "cpu", "wall", "memory"])
def test_without_an_end_the_last_value_is_not_believed(ending):
    """It could be forged by a program that left before it had computed it."""
    assert reasons(written(FIRST, SECOND, ending=ending))[0] == 10
    assert reasons(written(FIRST, SECOND, ending=ending))[1] not in (10, 11)


@pytest.mark.parametrize(
    ("ending", "code", "reason"),
    [
        *(("exit", 3, "runtime_error"), ("signal", 9, "runtime_error"), ("cpu", 0, "timeout")),
        *(("wall", 0, "timeout"), ("memory", 0, "memory"), ("output", 0, "output_limit")),
    ],
)
def test_a_process_that_ends_badly_after_its_end_has_failed(ending, code, reason):
    results = call_results(written(FIRST, SECOND, END, ending=ending, code=code), 2)
    assert (results.calls, results.ended.reason, results.hopeless) == ([], reason, True)


def test_how_far_a_flood_of_output_came_does_not_count():
    for events in ([], [FIRST], [FIRST, SECOND], [FIRST, SECOND, END], [["setup", "raised", "X"]]):
        assert reasons(written(*events, ending="output")) == ["output_limit"] * 2


FORGED = {
    "duplicate": [FIRST, FIRST, SECOND, END],
    "duplicate end": [FIRST, SECOND, END, END],
    "unknown index": [FIRST, [2, "value", 1], END],
    "negative index": [[-1, "value", 1], FIRST, SECOND, END],
    "out of order": [SECOND, FIRST, END],
    "skipped": [SECOND, END],
    "early end": [FIRST, END],
    "only an end": [END],
    "wrong end": [FIRST, SECOND, ["end", 1]],
    "true for an index": [FIRST, [True, "value", 11], END],
    "false for an index": [[False, "value", 10], SECOND, END],
    "text for an index": [["0", "value", 10], SECOND, END],
    "float for an index": [[{"float": "0x0.0p+0"}, "value", 10], SECOND, END],
    "a value behind the end": [FIRST, SECOND, END, SECOND],
    "setup behind the end": [FIRST, SECOND, END, ["setup", "raised", "X"]],
    "setup in between": [FIRST, ["setup", "raised", "X"]],
    "two setups": [["setup", "raised", "X"], ["setup", "raised", "X"]],
    "values behind setup": [["setup", "missing", "f"], FIRST, SECOND, END],
    "an unknown event": [FIRST, SECOND, ["verdict", "pass"], END],
    "an unknown kind": [FIRST, [1, "passed", True], END],
    "too short": [FIRST, [1, "value"], END],
    "too long": [FIRST, [1, "value", 11, 11], END],
    "no list": [FIRST, 7, END],
    "an object": [FIRST, {"tuple": [1, "value", 11]}, END],
    "an empty list": [[], FIRST, SECOND, END],
    "no name of an exception": [[0, "raised", 5], SECOND, END],
    "an unknown tag": [FIRST, [1, "value", {"object": 1}], END],
    "two tags": [FIRST, [1, "value", {"int": "0x1", "float": "nan"}], END],
    "an integer in digits": [FIRST, [1, "value", 2**60], END],
    "a float in digits": [FIRST, [1, "value", 1.5], END],
}


@pytest.mark.parametrize("name", FORGED)
def test_nothing_is_believed_of_what_the_harness_did_not_write(name):
    report = written(*FORGED[name])
    assert reasons(report) == ["protocol_violation"] * 2
    assert call_results(report, 2).hopeless
    assert reasons(written(*FORGED[name], ending="cpu")) == ["timeout"] * 2


@pytest.mark.parametrize(
    "text",
    [
        *(b"\n", b"\xff\xfe\n", b"nonsense\n", b"[0, 'value', 10]\n", b'[0, "value", NaN]\n'),
        *(b'[0, "value", ' + b"[" * 20_000 + b"]" * 20_000 + b"]\n", b"[" * 200_000 + b"\n"),
        *(b'[0, "value", ' + b"9" * 60_000 + b"]\n", b'[0,"value",10]\x00\n', b"null\n"),
        *(b'[0,"value",{"int":"' + b"f" * 60_000 + b'"}]\n', b'[0,"value",1e999]\n'),
    ],
)
def test_hostile_lines_are_a_verdict_and_no_crash(text):
    report = Report("exit", 0, values=text + written(SECOND, END).values)
    assert reasons(report) == ["protocol_violation"] * 2


def test_a_torn_last_line_is_none_before_the_end_and_forged_behind_it():
    assert reasons(written(FIRST, ending="cpu", tail=b'[1, "val')) == [10, "timeout"]
    assert reasons(written(FIRST, tail=b'[1, "value", 11]')) == [10, "no_result"]
    assert reasons(written(FIRST, SECOND, END, tail=b" ")) == ["protocol_violation"] * 2
    assert reasons(written(["setup", "raised", "X"], tail=b"x")) == ["protocol_violation"] * 2


def test_names_are_kept_short_and_printable():
    failed = call_results(written([0, "raised", "\ud800" + "x" * 500], ["end", 1]), 1).calls[0]
    assert failed.detail["raised"] == "\\ud800" + "x" * 99


def test_how_a_script_ended():
    assert ended_badly(Report("exit", 0)) is None
    assert ended_badly(Report("exit", 2)) == Failed("runtime_error", {"exit_status": 2})
    assert ended_badly(Report("signal", 6)) == Failed("runtime_error", {"signal": 6})
    assert ended_badly(Report("wall")) == Failed("timeout")


LINES = st.sampled_from(
    [json.dumps(each) for each in (FIRST, SECOND, END, ["setup", "raised", "X"])]
)
ENDINGS = st.sampled_from(["exit", "signal", "cpu", "wall", "output", "memory"])


@given(st.lists(LINES | st.text(max_size=12), max_size=5), ENDINGS, st.sampled_from([0, 1]))
def test_only_the_one_complete_report_gives_all_values(lines, ending, code):
    report = Report(ending, code, values="".join(f"{line}\n" for line in lines).encode())
    results = call_results(report, 2)
    complete = lines == [json.dumps(each) for each in (FIRST, SECOND, END)]
    assert (results.ended is None) is (complete and ending == "exit" and code == 0)
    assert len(results.calls) < 2 or results.ended is None


@given(st.binary(max_size=200), ENDINGS)
def test_no_bytes_raise(values, ending):
    results = call_results(Report(ending, 0, values=values), 3)
    assert results.ended is not None
