r"""The math judge, end to end through real workers; tables are grouped by origin of the case."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from potstill.filters import MathAnswer
from potstill.filters.math import MathJudge
from potstill.filters.math_check import Check, Question, check
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.outcome import Crashed, Done, OutOfMemory, Raised, TimedOut
from potstill.pipeline.sample import new_sample

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
sys.path.insert(0, str(Path(__file__).parent))

from adversarial_answers import ADVERSARIAL  # noqa: E402


@pytest.fixture(scope="module")
def judge():
    with MathAnswer(cpu_seconds=2).open(JudgeContext()) as judging:
        yield judging


def ask(judging, key, answer, boxed=True):
    completion = (
        f"<think>So it is.</think>\\boxed{{{answer}}}" if boxed else f"<think></think>{answer}"
    )
    (verdict,) = judging.judge([new_sample((), completion=completion, answer=key)])
    return verdict


BY_ORIGIN = {
    "GSM8K keys and how models write them": [
        ("72", "72", 1.0),
        ("72", "73", 0.0),
        ("1,234", "1234", 1.0),
        ("16,800,000", r"16{,}800{,}000", 1.0),
        ("$18", r"\$18.00", 1.0),
        ("18", "18 dollars", 1.0),
        ("18", r"18 \text{ dollars per day}", 1.0),
        ("-12", "−12", 1.0),
        ("3/4", r"\frac{3}{4}", 1.0),
        (r"\frac{1}{2}", "0.5", 1.0),
        ("50%", "50", 1.0),
        ("50%", "0.5", 1.0),
        ("50%", "5", 0.0),
        ("0.5", r"50\%", 1.0),
        ("5", "x = 5", 1.0),
        ("5000", r"5 \times 10^3", 1.0),
    ],
    "CMATH and Chinese answers": [
        ("42", "42个", 1.0),
        ("42", "４２", 1.0),
        ("3", "3千米", 1.0),
        ("3", r"3\text{ 千米}", 1.0),
        ("5", "5又2", 0.0),
        ("42", "答案是 42", 0.0),  # a box holds an expression, not a sentence
    ],
    "AIME and AMC keys": [("025", "25", 1.0), ("27.0", "27", 1.0), ("-1.0", "-1", 1.0)],
    "Math-Verify#34, PR#81: mixed numbers": [
        ("2.5", "2 1/2", 1.0),
        ("2.5", r"2\frac{1}{2}", 1.0),
        ("x=5/2", "2 1/2", 1.0),
    ],
    "performance.md 1.4: rounding that hides differences": [
        ("2^{-98}", "2^{-99}", 0.0),
        (r"\sqrt{2} \cdot 2^{-99}", r"\sqrt{2} \cdot 2^{-98}", 0.0),
        ("0.0000001", "0.0000002", 0.0),
        ("1/3", "0.333333", 1.0),
        ("1/3", "0.333", 0.0),
        (r"\sqrt{2}", "1.41421356", 1.0),
    ],
    "performance.md 1.4: a full stop in the box": [("569", "569.", 1.0), ("x+1", "x+1.", 1.0)],
    "field.md 3: intervals and relations, both ways": [
        (r"(-\infty,3)", "x<3", 1.0),
        ("x<3", r"(-\infty,3)", 1.0),
        ("x<3", r"(-\infty,3]", 0.0),
        (r"(1,2]", r"\left(1,2\right]", 1.0),
    ],
    "units that are variables (latex2sympy2_extended's unit list)": [
        ("2ab", "2", 0.0),
        ("3t", "3s", 0.0),
        ("x+2c", "x+2", 0.0),
        ("2ab", "2ba", 1.0),
        (r"12\pi", r"12\pi \text{ cm}^2", 1.0),
    ],
    "infinity minus infinity in our own check": [(r"\infty", r"+\infty", 1.0)],
    "algebra": [
        ("x^2+1", "1+x^2", 1.0),
        ("(x+1)^2", "x^2+2x+1", 1.0),
        ("(x+1)^2", "x^2+1", 0.0),
        (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt{2}}", 1.0),
        (r"\begin{pmatrix}1\\2\end{pmatrix}", r"\begin{pmatrix}1\\3\end{pmatrix}", 0.0),
        (r"\text{east}", "east", 1.0),
        ("2^{2^{2024}}", "2^{2^{2024}}", 1.0),
        ("(1,200)", r"(1,\,200)", 1.0),
    ],
}


@pytest.mark.parametrize(
    ("key", "answer", "score"),
    [
        pytest.param(*case, id=f"{origin}: {case[:2]}")
        for origin, cases in BY_ORIGIN.items()
        for case in cases
    ],
)
def test_boxed_answers(judge, key, answer, score):
    assert ask(judge, key, answer).score == score


@pytest.mark.parametrize(
    ("key", "text", "score", "reason"),
    [
        ("42", "The answer is 42.", 1.0, "correct"),
        ("42", "So the answer is 42 apples, in 3 days.", 1.0, "correct"),
        ("42", "#### 42", 1.0, "correct"),
        ("42", "**42**", 1.0, "correct"),
        ("18", "She makes $18 every day.", 1.0, "correct"),
        ("1/2", r"The answer is $\frac12$.", 1.0, "correct"),
        ("42", "答案是42。", 1.0, "correct"),
        ("42", "答案为 42 元", 1.0, "correct"),
        ("42", "所以一共有42个苹果。", 1.0, "correct"),
        ("42", "答案：42，比3多。", 1.0, "correct"),
        ("42", "The answer is 43.", 0.0, "wrong"),
        ("42", "I do not know", 0.0, "no_answer"),
        ("42", "  \n", 0.0, "no_answer"),
    ],
)
def test_unboxed_answers(judge, key, text, score, reason):
    verdict = ask(judge, key, text, boxed=False)
    assert (verdict.score, verdict.reason) == (score, reason)


@pytest.mark.parametrize("name", ADVERSARIAL)
def test_no_adversarial_answer_hangs_or_is_unknown(judge, name):
    """What the model made too complex is its own fault: 0.0, never None, never an exception."""
    verdict = ask(judge, "10", ADVERSARIAL[name])
    assert verdict.score == 0.0
    assert verdict.reason in {"too_complex", "wrong", "unparseable_answer", "unclosed_box"}


@pytest.mark.parametrize("name", ["power tower", "hard integral", "nested braces"])
def test_an_adversarial_key_is_unknown_instead(judge, name):
    verdict = ask(judge, ADVERSARIAL[name], "10")
    assert (verdict.score, verdict.reason) == (None, "too_complex_key")


def test_the_box_after_the_thought_counts_and_contradictions_are_noted(judge):
    completion = "<think>\\boxed{1}</think>\\boxed{2}, or rather \\boxed{3}"
    (verdict,) = judge.judge([new_sample((), completion=completion, answer="3")])
    assert verdict.score == 1.0
    assert (verdict.evidence["boxes"], verdict.evidence["boxes_disagree"]) == (2, True)
    assert completion[slice(*verdict.evidence["answer_span"])] == "3"
    (verdict,) = judge.judge([new_sample((), completion="\\boxed{3}=\\boxed{3.0}", answer="3")])
    assert verdict.evidence["boxes_disagree"] is False


def test_tasks_without_a_math_answer_are_not_judged_but_general_ones_with_a_key_are(judge):
    rows = [
        new_sample((), completion="\\boxed{5}", answer="5", task=task)
        for task in ("math", "general", "code", "choice")
    ]
    assert [v.reason for v in judge.judge(rows)] == ["correct", "correct", "not_math", "not_math"]


class ScriptedPool:
    """Stands for the workers: outcomes by (key, answer), and what was asked."""

    def __init__(self, outcomes):
        self.outcomes = outcomes
        self.asked: list[tuple[str, str]] = []

    def map(self, questions):
        for question in questions:
            self.asked.append((question.key, question.answer))
            yield self.outcomes[question.key, question.answer]


OTHER = Done(Check("different"))


@pytest.mark.parametrize(
    ("outcome", "key_alone", "score", "reason"),
    [
        (TimedOut(3.0), OTHER, 0.0, "too_complex"),
        (OutOfMemory(1), OTHER, 0.0, "too_complex"),
        (Raised("RecursionError", ""), OTHER, 0.0, "too_complex"),
        (Raised("TypeError", ""), OTHER, 0.0, "not_comparable"),
        (Crashed("killed by SIGKILL"), OTHER, None, "checker_crashed"),
        (TimedOut(3.0), Crashed("gone"), None, "checker_crashed"),
        (TimedOut(3.0), TimedOut(3.0), None, "too_complex_key"),
        (TimedOut(3.0), OutOfMemory(1), None, "too_complex_key"),
        (Raised("TypeError", ""), Raised("TypeError", ""), None, "unparseable_key"),
        (TimedOut(3.0), Done(Check("unparseable_key")), None, "unparseable_key"),
        (Done(Check("unparseable_key")), OTHER, None, "unparseable_key"),
        (Done(Check("unparseable_answer")), OTHER, 0.0, "unparseable_answer"),
        (Done(Check("different")), OTHER, 0.0, "wrong"),
    ],
)
def test_whose_fault_a_failed_comparison_is(outcome, key_alone, score, reason):
    pool = ScriptedPool({("x+y", "z"): outcome, ("x+y", "1"): key_alone})
    verdict = ask(MathJudge(pool), "x+y", "z")
    assert (verdict.score, verdict.reason) == (score, reason)


def test_equal_questions_are_asked_once_but_a_crash_is_asked_again():
    pool = ScriptedPool(
        {("x", "y"): Done(Check("different")), ("x", "z"): Crashed("gone"), ("x", "1"): OTHER}
    )
    judging = MathJudge(pool)
    rows = [new_sample((), completion=f"\\boxed{{{a}}}", answer="x") for a in "yzyyz"]
    expected = ["wrong", "checker_crashed", "wrong", "wrong", "checker_crashed"]
    assert [v.reason for v in judging.judge(rows)] == expected
    assert [v.reason for v in judging.judge(rows)] == expected
    assert Counter(pool.asked) == {("x", "y"): 1, ("x", "z"): 2, ("x", "1"): 2}


def test_plain_numbers_need_no_process():
    judging = MathJudge(ScriptedPool({}))
    assert ask(judging, "1,234", "1234").evidence["method"] == "exact"
    assert ask(judging, "5", "6").reason == "wrong"


def test_the_number_of_workers_and_the_batches_change_no_verdict(judge):
    cases = [case[:2] for cases in BY_ORIGIN.values() for case in cases] * 3
    rows = [new_sample((), completion=f"\\boxed{{{answer}}}", answer=key) for key, answer in cases]
    with MathAnswer(cpu_seconds=2).open(JudgeContext(workers=3)) as three:
        together = three.judge(rows)
    one_by_one = [judge.judge([row])[0] for row in rows]
    assert together == one_by_one


numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.fractions(max_denominator=60).map(lambda f: rf"\frac{{{f.numerator}}}{{{f.denominator}}}"),
    st.decimals(-999, 999, places=2).map(str),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(numbers, numbers, st.booleans())
def test_what_is_decided_without_math_verify_agrees_with_it(key, other, again):
    answer = key if again else other
    cheap = ask(MathJudge(ScriptedPool(_Anything())), key, answer)
    if cheap.evidence.get("method") == "exact":
        found = check(Question(key, answer, boxed=True)).finding
        assert (found == "equal") == (cheap.score == 1.0)


class _Anything(dict):
    def __missing__(self, _):
        return Done(Check("different"))


@needs_data
def test_every_gsm8k_solution_is_right_and_every_next_one_wrong(judge):
    lines = (DATA / "gsm8k_train.jsonl").read_text("utf-8").splitlines()
    pairs = [json.loads(line)["answer"].split("####") for line in lines]
    keys = [key.strip() for _, key in pairs]
    rows = [
        new_sample(
            (), completion=f"<think>{body}</think>The answer is \\boxed{{{key}}}.", answer=key
        )
        for (body, _), key in zip(pairs, keys, strict=True)
    ]
    assert Counter(v.reason for v in judge.judge(rows)) == {"correct": len(rows)}
    shifted = [
        new_sample((), completion=row.completion, answer=key)
        for row, key in zip(rows, keys[1:] + keys[:1], strict=True)
    ]
    wrong = [
        verdict.score
        for verdict, key, answer in zip(
            judge.judge(shifted), keys[1:] + keys[:1], keys, strict=True
        )
        if float(key.replace(",", "")) != float(answer.replace(",", ""))
    ]
    assert set(wrong) == {0.0}


@needs_data
@pytest.mark.parametrize("file", ["aime24", "amc23", "cmath"])
def test_every_key_of_the_real_sets_accepts_itself_as_a_number(judge, file):
    rows = [json.loads(line) for line in (DATA / f"{file}.jsonl").read_text("utf-8").splitlines()]
    keys = [str(row["answer"]) for row in rows]
    samples = [
        new_sample(
            (), completion=f"<think>a</think>\\boxed{{{key.lstrip('0')} \\text{{ km}}}}", answer=key
        )
        for key in keys
    ]
    assert {v.reason for v in judge.judge(samples)} == {"correct"}
