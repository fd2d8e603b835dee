"""Repeated n-grams and loops at the end."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.filters import Repetition
from potstill.pipeline.sample import new_sample

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
SENTENCE = "Then she gives two of them to her brother. "
STORY = "Ann buys seven red apples at the market on Monday and puts them in a large bowl at home. "


def judge(completion: str, **config):
    return Repetition(**config).judge_one(new_sample((), completion=completion))


@pytest.mark.parametrize(
    ("completion", "reason"),
    [
        (f"<think>{STORY}</think>7", "ok"),
        (f"<think>{STORY * 2}{SENTENCE}</think>7", "repeated_ngrams"),
        (f"<think>{SENTENCE * 4}</think>7", "loop_at_end"),
        (f"<think>{STORY}{SENTENCE * 3}", "repeated_ngrams"),
        (f"<think>{STORY}{SENTENCE * 40}Then she gi", "loop_at_end"),
        (f"<think>{STORY}</think>" + "The answer is 5.\n" * 4, "loop_at_end"),
        (f"<think>{STORY}</think>" + "0" * 100, "loop_at_end"),
        (f"<think>{STORY}</think>" + "哈" * 100, "loop_at_end"),
        (f"<think>{STORY}</think>10000000000", "ok"),
        (f"<think>{STORY}wait...........</think>7", "ok"),
        ("<think></think>", "ok"),
        ("", "ok"),
    ],
)
def test_reasons(completion, reason):
    verdict = judge(completion)
    assert verdict.reason == reason
    assert (verdict.score == 1.0) == (reason == "ok")


@pytest.mark.parametrize("unit", ["ab", "x = 1, ", SENTENCE, "一二三四五。", STORY * 3])
@pytest.mark.parametrize("times", [4, 5, 30])
def test_a_loop_is_found_where_it_begins(unit, times):
    times = max(times, -(-60 // len(unit)))
    completion = "<think>#" + unit * times
    start, end = judge(completion).evidence["loop"]
    assert 0 <= start - len("<think>#") <= len(unit) - len(unit.strip())
    assert end == len(completion.rstrip())


def test_the_score_falls_in_a_straight_line_beyond_the_allowed_share():
    text = "<think>a1 b2 c3 d4 one two three four five one two three four five</think>x"
    share = judge(text, ngram=5).evidence["ngram_share"]
    assert share == pytest.approx(5 / 18, abs=1e-6)  # a1 is two tokens: a letter and a digit
    assert judge(text, ngram=5, max_ngram_share=0.3).score == 1.0
    assert judge(text, ngram=5, max_ngram_share=0.0).score == pytest.approx(1 - 5 / 18)
    assert judge(text, ngram=5, max_ngram_share=0.2).score == pytest.approx((13 / 18) / 0.8)


def test_repeated_spans_are_those_said_before_merged():
    text = "<think>one two three four five, and again one two three four five. End</think>x"
    verdict = judge(text, ngram=3, max_ngram_share=0.0)
    assert [text[a:b] for a, b in verdict.evidence["repeated"]] == ["one two three four five"]


@given(st.lists(st.sampled_from("abcd"), max_size=40), st.integers(2, 5))
def test_the_share_is_that_of_the_words_in_ngrams_seen_before(letters, size):
    seen, repeated = set(), set()
    for i in range(len(letters) - size + 1):
        ngram = tuple(letters[i : i + size])
        if ngram in seen:
            repeated |= set(range(i, i + size))
        seen.add(ngram)
    verdict = judge("<think>" + " ".join(letters), ngram=size)
    expected = len(repeated) / len(letters) if letters else 0.0
    assert verdict.evidence["ngram_share"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("config", [{"ngram": 1}, {"max_ngram_share": 1.0}, {"loop_repeats": 1}])
def test_settings_that_mean_nothing_are_refused(config):
    with pytest.raises(ValidationError):
        Repetition(**config)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_natural_texts_pass():
    gsm8k = (DATA / "gsm8k_train.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["answer"] for line in gsm8k]
    for file in ("alpaca_en_demo.json", "alpaca_zh_demo.json"):
        texts += [row["output"] for row in json.loads((DATA / file).read_text("utf-8"))]
    failed = [text for text in texts if judge(f"<think>{text}</think>x").score != 1.0]
    assert len(failed) / len(texts) < 0.006
