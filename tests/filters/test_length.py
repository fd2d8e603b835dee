"""Length limits of thought and answer."""

import pytest
from pydantic import ValidationError

from potstill.filters import Length
from potstill.pipeline.sample import new_sample


def judge(completion: str, **config):
    return Length(**config).judge_one(new_sample((), completion=completion))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({}, "ok"),
        ({"min_thought": 9, "max_thought": 9, "min_answer": 3, "max_answer": 3}, "ok"),
        ({"min_thought": 10}, "thought_too_short"),
        ({"max_thought": 8}, "thought_too_long"),
        ({"min_answer": 4}, "answer_too_short"),
        ({"max_answer": 2}, "answer_too_long"),
        ({"unit": "words", "min_thought": 2, "max_thought": 2, "max_answer": 1}, "ok"),
        ({"unit": "words", "max_thought": 1}, "thought_too_long"),
    ],
)
def test_both_ends_belong_to_the_range(config, reason):
    verdict = judge("<think> two words\n</think> one ", **config)
    assert verdict.reason == reason
    assert verdict.score == (1.0 if reason == "ok" else 0.0)


def test_a_missing_part_has_length_zero():
    assert judge("<think>open", min_answer=1).reason == "answer_too_short"
    assert judge("no tags", min_thought=1).reason == "thought_too_short"
    assert judge("no tags").evidence == {"unit": "characters", "thought": 0, "answer": 7}


def test_limits_without_room_are_refused():
    with pytest.raises(ValidationError, match="min_answer is 5 and max_answer 4"):
        Length(min_answer=5, max_answer=4)
    with pytest.raises(ValidationError):
        Length(min_thought=-1)
