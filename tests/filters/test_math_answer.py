r"""The math judge, end to end through real workers; what is equal to what is in `cases/`."""

import time

import pytest
from adversarial_answers import ADVERSARIAL

from potstill.filters.equivalence.math_check import Question, check
from potstill.filters.keyed import KeyedFilter
from potstill.filters.math import MathAnswer
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.outcome import Crashed, Done, OutOfMemory, Raised, TimedOut
from potstill.pipeline.sample import Generation, new_sample
from potstill.pipeline.verdict import Verdict

HARD_INTEGRAL = ADVERSARIAL["hard integral"]


@pytest.fixture(scope="module")
def judge():
    with MathAnswer(cpu_seconds=1).open(JudgeContext()) as judging:
        yield judging


def row(key, answer):
    return new_sample((), completion=f"<think>So.</think>\\boxed{{{answer}}}", answer=key)


def ask(judging, key, answer):
    return judging.judge([row(key, answer)])[0]


def test_the_evidence_shows_the_answer_and_where_it_stands(judge):
    sample = row("2.5", r"2\frac{1}{2}")
    (verdict,) = judge.judge([sample])
    start, end = verdict.evidence["answer_span"]
    assert sample.completion[start:end] == verdict.evidence["answer"] == r"2\frac{1}{2}"
    assert verdict.evidence["method"] == "exact"


def test_a_lone_surrogate_leaves_evidence_that_can_be_written(judge):
    verdict = ask(judge, "10", "10\ud800")
    verdict.to_row("id")["evidence"].encode("utf-8")


@pytest.mark.parametrize(
    ("outcome", "control", "score", "reason"),
    [
        (TimedOut(3.0), Done(Verdict(0.0, "wrong")), 0.0, "too_complex"),
        (OutOfMemory(1), Done(Verdict(1.0, "correct")), 0.0, "too_complex"),
        (Raised("RecursionError", ""), Done(Verdict(0.0, "wrong")), 0.0, "too_complex"),
        (TimedOut(3.0), Done(Verdict(None, "unparseable_key")), None, "unparseable_key"),
        (TimedOut(3.0), TimedOut(3.0), None, "too_complex_key"),
        (TimedOut(3.0), OutOfMemory(1), None, "too_complex_key"),
        (TimedOut(3.0), Crashed("gone"), None, "worker_crashed"),
        (Crashed("killed by SIGKILL"), Done(Verdict(0.0, "wrong")), None, "worker_crashed"),
        (Raised("KeyError", ""), Done(Verdict(0.0, "wrong")), None, "worker_crashed"),
        (TimedOut(3.0), None, None, "worker_crashed"),
    ],
)
def test_whose_fault_a_failed_comparison_is(outcome, control, score, reason):
    verdict = MathAnswer().failed(row("x", "y"), outcome, control)
    assert (verdict.score, verdict.reason) == (score, reason)


def test_the_control_is_the_same_key_with_a_plain_number(judge):
    made = Generation("t", "r", "k", 0, None, "length", None, None)
    sample = new_sample((), completion="<think>cut", answer=r"\sqrt{2}", generation=made)
    control = MathAnswer().control(sample)
    assert control.answer == sample.answer
    assert judge.judge([control])[0].reason == "wrong"


def test_a_key_that_cannot_be_checked_is_unknown_for_every_answer(judge):
    verdicts = [ask(judge, HARD_INTEGRAL, answer) for answer in ("2", r"\frac{\pi}{4}")]
    assert {(verdict.score, verdict.reason) for verdict in verdicts} == {(None, "too_complex_key")}


def test_no_adversarial_answer_hangs_or_is_right(judge):
    began = time.monotonic()
    for name, answer in ADVERSARIAL.items():
        verdict = ask(judge, "10", answer)
        assert verdict.score == 0.0, (name, verdict)
    assert time.monotonic() - began < 60  # a handful may use up their second of CPU time


def test_an_adversarial_answer_costs_no_neighbour(judge):
    rows = [row(str(n), str(n)) for n in range(20)]
    rows[7] = row("10", HARD_INTEGRAL)
    verdicts = judge.judge(rows)
    assert [v.reason for v in verdicts[:7] + verdicts[8:]] == ["correct"] * 19
    assert verdicts[7].reason == "too_complex"


def test_the_number_of_workers_and_the_batches_change_no_verdict(judge):
    keys = ["72", r"\frac{1}{2}", "(1,2)", "x<3", r"\int_0^1 x dx", "east", "x^2+1"]
    rows = [row(key, answer) for key in keys for answer in keys]
    with MathAnswer(cpu_seconds=1).open(JudgeContext(workers=3)) as three:
        together = three.judge(rows)
    assert together == [judge.judge([each])[0] for each in rows]


def test_key_and_answer_can_only_be_given_by_name():
    with pytest.raises(TypeError):
        Question("5", "6")  # type: ignore[call-arg,misc]
    assert check(Question(answer="x=5", key="5")).reason == "correct"


def test_a_key_answered_with_itself_is_accepted_or_told_of(judge):
    filtering = MathAnswer()
    assert isinstance(filtering, KeyedFilter)
    told = {
        "1/2": "correct",
        "no solution": "correct",
        r"A \cup B": "correct",
        r"\frac{1}{": "unparseable_key",
        "": "no_key",
        "1" * 2000: "too_complex_key",
    }
    rows = [new_sample((), completion=filtering.answering(key), answer=key) for key in told]
    assert [v.reason for v in judge.judge(rows)] == list(told.values())
