"""The language filter: what counts as a word, what is masked, and where foreign words stand."""

import json
from pathlib import Path

import pytest

from potstill.filters import Language
from potstill.filters.masking import mask
from potstill.filters.words import count_language_words, count_words, tokens
from potstill.pipeline.sample import Message, new_sample

DATA = Path(__file__).resolve().parents[2] / "../shared/data"


def judge(thought: str, language: str, prompt: str = ""):
    made = new_sample(
        (Message("user", prompt),), completion=f"<think>{thought}</think>x", language=language
    )
    return Language().judge_one(made)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("123 + 4.5 = ?", 0),
        ("don't pass-book café", 3),
        ("三个苹果", 4),
        ("りんご", 3),
        ("사과 яблоко", 2),
        ("x² ① ½ ㎝ ℝ 𝑥 Ａ", 1),
    ],
)
def test_words(text, words):
    assert count_words(text) == words


def test_tokens_are_lower_case_words_and_numbers_with_their_places():
    assert tokens("Add 12 苹") == [("add", 0, 3), ("12", 4, 6), ("苹", 7, 8)]


@pytest.mark.parametrize(
    "text",
    [
        "x y z I a",
        "x1 a_1 snake_case camelCase 3rd 2nd",
        "sin(x) f(x) print(",
        "sin cos log gcd mod",
        "5 cm, 60km/h, 3 kg",
        "ABCD GCD",
        "α β",
        "²①",
    ],
)
def test_names_of_things_are_words_of_no_language(text):
    assert count_language_words(text, "Latin") == 0
    assert count_language_words(text, "other") == 0


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("so $x+y$ is", "so is"),
        ("so \\(x\\) and \\[y\\] is", "so and is"),
        ("so $$\\text{speed}$$ is", "so is"),
        ("it costs $5 and $6 here", "it costs $5 and $6 here"),
        ("run `int main` or\n```\nwhile true\n```\nstop", "run or stop"),
        ("\\begin{align}speed &= 5\\end{align} so", "so"),
        ("\\frac{a}{b} and \\boxed{five} \\alpha", "and"),
        ("see https://example.org/words or a@b.org <b>bold</b>", "see or bold"),
        ("an open $ stays", "an open $ stays"),
        ("an open \\[ stays", "an open \\[ stays"),
        ("an open ``` stays", "an open ``` stays"),
        ("\\[ a \\[ b", "\\[ a \\[ b"),
    ],
)
def test_masking_blanks_math_code_and_links_and_keeps_the_length(text, left):
    assert mask(text).split() == left.split()
    assert len(mask(text)) == len(text)


@pytest.mark.parametrize(
    ("thought", "language", "score", "reason"),
    [
        ("Two and three make five.", "en", 1.0, "ok"),
        ("二加三等于五。", "zh", 1.0, "ok"),
        ("二加三等于五。", "zh-CN", 1.0, "ok"),
        ("二加三等于五。", "ZH_Hant", 1.0, "ok"),
        ("Two and 三 make five.", "en", 0.8, "mixed_languages"),
        ("二加三 equals 五", "zh", 0.8, "mixed_languages"),
        ("设 x = 5 cm，则 f(x) = 3，△ABC", "zh", 1.0, "ok"),
        ("二加三等于五", "en", 0.0, "wrong_language"),
        ("Two and three", "zh", 0.0, "wrong_language"),
        ("りんごが三つ", "zh", 1 / 6, "mixed_languages"),
        ("$2+3=5$", "zh", 0.0, "no_words"),
        ("", "en", 0.0, "no_words"),
    ],
)
def test_scores(thought, language, score, reason):
    verdict = judge(thought, language)
    assert (verdict.score, verdict.reason) == (pytest.approx(score), reason)


def test_spans_point_at_the_foreign_words_of_the_completion():
    thought = "first 先算 一共, then 答案 $苹果$ done"
    verdict = judge(thought, "en")
    whole = f"<think>{thought}</think>x"
    assert [whole[a:b] for a, b in verdict.evidence["foreign"]] == ["先算 一共", "答案"]
    assert verdict.evidence["foreign_spans"] == 2


def test_many_foreign_spans_are_counted_but_not_all_listed():
    verdict = judge("word 字 " * 500, "en")
    assert verdict.evidence["foreign_spans"] == 500
    assert len(verdict.evidence["foreign"]) < 100


def test_names_of_the_prompt_are_not_foreign_but_its_other_words_are():
    asked = "Natalia sold clips to 48 of her friends."
    assert judge("Natalia 卖了四十八个", "zh", asked).score == 1.0
    assert judge("Natalia 卖了 clips", "zh", asked).score == pytest.approx(2 / 3)
    assert judge("Natalia 卖了", "zh", "别的问题").score == pytest.approx(2 / 3)


def test_only_the_thought_is_read_and_without_tags_the_whole_text():
    def score(completion: str) -> float | None:
        made = new_sample((), completion=completion, language="en")
        return Language().judge_one(made).score

    assert score("<think>Two and three.</think>五") == 1.0
    assert score("<think>Two and three 五") == pytest.approx(3 / 4)
    assert score("Two and three 五") == pytest.approx(3 / 4)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_real_texts_of_both_languages():
    gsm8k = (DATA / "gsm8k_train.jsonl").read_text("utf-8").splitlines()[:500]
    scores = [judge(json.loads(line)["answer"], "en").score for line in gsm8k]
    assert sum(score == 1.0 for score in scores) >= 499
    for language, file in [("en", "alpaca_en_demo.json"), ("zh", "alpaca_zh_demo.json")]:
        rows = json.loads((DATA / file).read_text("utf-8"))[:500]
        long = [row["output"] for row in rows if count_words(row["output"]) >= 30]
        other = "zh" if language == "en" else "en"
        right = [judge(text, language).score or 0.0 for text in long]
        wrong = [judge(text, other).score or 0.0 for text in long]
        assert sorted(right)[len(long) // 10] >= 0.95, f"{language}: nine of ten are consistent"
        assert sorted(wrong)[-len(long) // 10] <= 0.5
