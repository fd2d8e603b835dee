"""Loops, shares of what is said again, self-doubt; the labelled cases are in cases/."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.filters.repetition import Repetition
from potstill.pipeline.sample import new_sample
from potstill.pipeline.verdict import Verdict

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
SENTENCE = "Then she gives two of them to her brother. "
STORY = "Ann buys seven red apples at the market on Monday and puts them in a large bowl at home. "
WORDS = [f"{first}{second}" for first in "abcde" for second in "xyzuv"]


def judge(completion: str, **config: float) -> Verdict:
    return Repetition(**config).judge_one(new_sample((), completion=completion))


@pytest.mark.parametrize("unit", ["ab", "ox is 1, ", SENTENCE, "一二三四五。", STORY * 3])
@pytest.mark.parametrize("times", [4, 5, 30])
@pytest.mark.parametrize("behind", ["", "</think>5", " \n"])
def test_a_loop_is_found_where_it_begins(unit: str, times: int, behind: str) -> None:
    times = max(times, -(-60 // len(unit)))
    looping = "<think>#" + unit * times
    verdict = judge(looping + behind)
    assert verdict.reason == "loop_at_end"
    start, end = verdict.evidence["loop"]
    assert abs(start - len("<think>#")) <= len(unit) - len(unit.strip())
    assert len(looping.rstrip()) <= end <= len(looping + behind)


@pytest.mark.parametrize("times", [4, 9, 50])
def test_a_loop_inside_is_seen_though_the_text_recovered(times: int) -> None:
    before = "<think>We begin with the market. "
    verdict = judge(before + SENTENCE * times + f"Sorry. {STORY}</think>7")
    assert (verdict.score, verdict.reason) == (0.0, "loop_inside")
    start, end = verdict.evidence["loop"]
    assert abs(start - len(before)) <= 2
    assert abs(end - len(before) - len(SENTENCE) * times) <= 2


@pytest.mark.parametrize(
    ("times", "reason"), [(3, "repeated_ngrams"), (4, "loop_at_end"), (5, "loop_at_end")]
)
def test_a_sentence_becomes_a_loop_at_the_fourth_time(times: int, reason: str) -> None:
    assert judge(f"<think>{STORY}{SENTENCE * times}</think>7", ngram=8).reason == reason


def test_a_long_piece_becomes_a_loop_at_the_third_time() -> None:
    piece = (STORY + SENTENCE).replace("seven", "seven or eight") + STORY.lower()
    assert len(piece) > 200
    assert judge(f"<think>{piece * 3}</think>7").reason == "loop_at_end"
    assert judge(f"<think>{piece * 2}</think>7").reason == "repeated_ngrams"


def test_the_score_falls_to_zero_half_way_to_one() -> None:
    text = "<think>a1 b2 c3 d4 one two three four five one two three four five</think>x"
    share = judge(text, ngram=5).evidence["ngram_share"]
    assert share == pytest.approx(5 / 18, abs=1e-6)  # a1 is two tokens: a letter and a digit
    assert judge(text, ngram=5, max_ngram_share=0.3).score == 1.0
    assert judge(text, ngram=5, max_ngram_share=0.0).score == pytest.approx(1 - 5 / 18 / 0.5)
    assert judge(text, ngram=5, max_ngram_share=0.2).score == pytest.approx(
        1 - (5 / 18 - 0.2) / 0.4
    )


def test_repeated_spans_are_those_said_before_merged() -> None:
    text = "<think>one two three four five, and again one two three four five. End</think>x"
    verdict = judge(text, ngram=3, max_ngram_share=0.0)
    assert [text[a:b] for a, b in verdict.evidence["repeated"]] == ["one two three four five"]


@given(st.lists(st.sampled_from(["ax", "by", "cz", "du"]), max_size=40), st.integers(2, 5))
def test_the_share_is_that_of_the_words_in_ngrams_seen_before(words: list[str], size: int) -> None:
    seen, repeated = set(), set()
    for i in range(len(words) - size + 1):
        ngram = tuple(words[i : i + size])
        if ngram in seen:
            repeated |= set(range(i, i + size))
        seen.add(ngram)
    verdict = judge("<think>" + " ".join(words), ngram=size)
    expected = len(repeated) / len(words) if words else 0.0
    assert verdict.evidence["ngram_share"] == pytest.approx(expected, abs=1e-6)


def test_what_is_dense_in_one_place_of_a_long_text_counts() -> None:
    healthy = " ".join(f"{a} {b} {c}." for a in WORDS for b in WORDS[:9] for c in WORDS[:4])
    passage = " ".join(WORDS[::-1] + WORDS[1::2])  # 37 words
    varied = " ".join(f"{passage} {end}" for end in ("q", "qq", "qr", "qs", "qt", "qu", "qv", "qw"))
    verdict = judge(f"<think>{healthy} {varied} {healthy[::-1]}</think>x")
    assert verdict.evidence["ngram_share"] < 0.3
    assert verdict.evidence["densest_share"] > 0.8
    assert (verdict.score, verdict.reason) == (0.0, "repeated_ngrams")


def test_the_same_text_in_thought_and_answer_is_no_repetition() -> None:
    assert judge(f"<think>{STORY}{SENTENCE}</think>{STORY}{SENTENCE}").reason == "ok"


@given(st.integers(2, 40), st.sampled_from(["</think>5", "", " and then"]))
def test_spans_lie_inside_the_completion(times: int, behind: str) -> None:
    text = f"<think>{STORY}" + f"Wait, no. Let me check again. {SENTENCE}" * times + behind
    evidence = judge(text).evidence
    for span in [*evidence.get("repeated", []), evidence.get("loop"), evidence.get("self_doubt")]:
        assert span is None or 0 <= span[0] < span[1] <= len(text)


@pytest.mark.parametrize(
    "config",
    [
        {"ngram": 1},
        {"max_ngram_share": 1.0},
        {"max_sentence_share": -0.1},
        {"loop_repeats": 2},
        {"stale_doubts": 1},
    ],
)
def test_settings_that_mean_nothing_are_refused(config: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Repetition(**config)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_texts_by_people_pass() -> None:
    lines = [
        json.loads(line)
        for name in ("gsm8k_train", "gsm8k_test", "aime24")
        for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines()
    ]
    texts = [row.get("solution") or row["answer"] for row in lines]
    for file in ("alpaca_en_demo.json", "alpaca_zh_demo.json"):
        texts += [row["output"] for row in json.loads((DATA / file).read_text("utf-8"))]
    failed = [text for text in texts if judge(f"<think>{text}</think>x").score != 1.0]
    assert len(texts) == 10_821
    assert len(failed) <= 2, failed
