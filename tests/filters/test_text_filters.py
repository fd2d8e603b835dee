"""exact, contains, keywords and pattern: their settings; judgements are in cases/*.jsonl."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.filters.contains import Contains
from potstill.filters.exact import Exact
from potstill.filters.keyed import KeyedFilter
from potstill.filters.keywords import Keywords
from potstill.filters.pattern import Pattern
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.outcome import Crashed, TimedOut
from potstill.pipeline.sample import new_sample


@pytest.mark.parametrize("made", [Exact(), Contains(), Contains(where="answer")])
@given(key=st.text(st.sampled_from("aB5.-,/ 李²\n"), min_size=1, max_size=8))
def test_a_key_accepts_itself(made, key):
    assert isinstance(made, KeyedFilter)
    verdict = made.judge_one(new_sample((), completion=made.answering(key), answer=key))
    assert verdict.score == 1.0 or not key.strip()


def test_evidence_of_contains_says_where_and_what_is_missing():
    sample = new_sample((), completion="<think>x</think>red sky")
    verdict = Contains(all_of=["red", "green"]).judge_one(sample)
    assert verdict.evidence == {"found": [[16, 19]], "missing": ["green"]}


def test_evidence_of_keywords_says_where():
    sample = new_sample((), completion="bad, so bad")
    assert Keywords(forbid=["bad"]).judge_one(sample).evidence == {"forbidden": [[0, 3], [8, 11]]}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "nothing to look for"),
        ({"require": [""]}, "require"),
        ({"require": ["a"], "forbid": ["a"]}, "'a' is required and forbidden"),
    ],
)
def test_keywords_without_sense_are_refused(config, message):
    with pytest.raises(ValidationError, match=message):
        Keywords(**config)


@pytest.mark.parametrize("pattern", ["(", "[a", "*a", ""])
def test_a_pattern_that_does_not_compile_is_refused_when_the_recipe_is_read(pattern):
    with pytest.raises(ValidationError, match="pattern"):
        Pattern(pattern=pattern)
    with pytest.raises(ValidationError, match="Field required"):
        Pattern()


def test_the_matches_are_spans_of_the_completion():
    completion = "<think>1</think>22 and 333"
    evidence = Pattern(pattern=r"\d+").judge_one(new_sample((), completion=completion)).evidence
    assert [completion[slice(*span)] for span in evidence["matches"]] == ["22", "333"]


@pytest.mark.parametrize("must", ["match", "not_match"])
def test_a_catastrophic_pattern_costs_its_row_and_no_process(must):
    made = Pattern(pattern="(a|aa)+$", must=must, seconds=0.2)
    rows = [new_sample((), completion=text) for text in ("a" * 200 + "!", "aa", "b")]
    with made.open(JudgeContext()) as judge:
        first, *others = judge.judge(rows)
    assert (first.score, first.reason) == (0.0, "too_complex")
    assert [verdict.score for verdict in others] == ([1.0, 0.0] if must == "match" else [0.0, 1.0])


def test_only_a_time_out_is_the_doing_of_the_text():
    made, sample = Pattern(pattern="a"), new_sample((), completion="a")
    assert made.failed(sample, TimedOut(6.0), None).score == 0.0
    assert made.failed(sample, Crashed("signal 9"), None).reason == "worker_crashed"
