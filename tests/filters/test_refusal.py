"""Spans, settings and speed of `refusal`; the judgements are in cases/refusal.jsonl."""

import json
from pathlib import Path

import pytest

from potstill.filters.refusal import Refusal
from potstill.pipeline.sample import new_sample

DATA = Path(__file__).parents[3] / "shared" / "data"


def judge(completion, **config):
    return Refusal(**config).judge_one(new_sample((), completion=completion))


@pytest.mark.parametrize(
    ("completion", "name", "said"),
    [
        ("<think>no</think>I'm sorry, but I can't help with that.", "refusal", "I can't help"),
        ("很抱歉，我无法回答这个问题。", "refusal", "我无法回答这个问题"),
        ("As an AI model, I say 5.", "boilerplate", "As an AI model,"),
        ("It is 5. I hope this helps!", "courtesy", "I hope this helps"),
    ],
)
def test_the_evidence_says_where(completion, name, said):
    spans = judge(completion).evidence[name]
    first = spans if isinstance(spans[0], int) else spans[0]
    assert said in completion[slice(*first)] or completion[slice(*first)] in said


def test_a_typographic_apostrophe_is_one():
    assert judge("I can’t help with that.").reason == "refusal"
    assert judge("I can’t help but smile at 5.").reason == "ok"


def test_the_position_of_a_refusal_counts():
    opening = "I cannot provide a list of names."
    late = "The first is a verb. The second is a noun. The third is an adverb. " + opening
    assert judge(opening).reason == "refusal"
    assert judge(late).reason == "ok"


@pytest.mark.skipif(not DATA.exists(), reason="the shared data is not here")
@pytest.mark.parametrize("name", ["gsm8k_test.jsonl", "gsm8k_train.jsonl"])
def test_solutions_of_word_problems_refuse_nothing(name):
    rows = [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]
    assert [row["answer"] for row in rows if judge(row["answer"]).reason != "ok"] == []


PIECES = [
    "\n> ",
    "'a ",
    '"',
    "“",
    "I can't ",
    "I cannot provide ",
    "as an AI ",
    "我无法",
    "抱歉",
    "作为",
    "\n",
    "hope this ",
    "Dear a\n",
    "I ",
]


@pytest.mark.parametrize("piece", PIECES)
def test_long_hostile_text_is_judged_in_linear_time(piece):
    """Not timed: quadratic work on 200,000 characters would run into the test timeout."""
    judge(piece * (200_000 // len(piece)) + "x")
