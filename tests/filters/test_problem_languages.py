"""The languages of many problems are those of each: `language_of` by columns."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.filters.languages.function_words import FUNCTION_WORDS
from potstill.filters.languages.problem_language import language_of
from potstill.filters.languages.problem_languages import languages_of

DATA = (Path(__file__).resolve().parents[2] / "../shared/data").resolve()
TEXTS = [
    "What is the sum of the first three numbers, and how many of them are even?",
    "¿Cuántas manzanas tiene María si compra tres y luego vende dos?",
    "Wie viele Äpfel hat Anna, wenn sie drei kauft und dann zwei verkauft?",
    "Combien de pommes reste-t-il à Paul après avoir mangé les deux premières ?",
    "小明有三个苹果，吃了一个，还剩几个？",
    "設 x 為正整數, 求 x 的所有可能值。",
    "りんごが三つあります。二つ食べました。残りはいくつですか？",
    "사과가 세 개 있습니다. 두 개를 먹으면 몇 개가 남습니까?",
    "Сколько яблок осталось у Маши, если она съела два из пяти?",
    "Compute $\\int_0^1 x^2 dx$.",
    "3 + 5 = ?",
    "",
    "请 explain the difference between these two words and then use them",
]


def test_each_text_has_its_language() -> None:
    found = languages_of(pl.Series([*TEXTS, None], dtype=pl.String)).to_list()
    assert found == [*map(language_of, TEXTS), None]
    assert found[:5] == ["en", "es", "de", "fr", "zh"]


@pytest.mark.parametrize(
    ("name", "column"),
    [("gsm8k_test.jsonl", "question"), ("cmath.jsonl", "question"), ("aime24.jsonl", "problem")],
)
def test_real_problems(name: str, column: str) -> None:
    if not (DATA / name).exists():
        pytest.skip(f"the real files are not in {DATA}")
    lines = (DATA / name).read_text("utf-8").split("\n")[:300]
    texts = [json.loads(line)[column] for line in lines if line]
    assert languages_of(pl.Series(texts)).to_list() == [*map(language_of, texts)]


WORDS = {name: sorted(words.split()) for name, words in FUNCTION_WORDS["Latin"].items()}


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_words_of_two_languages_are_never_plain_english(data: st.DataObject) -> None:
    english = data.draw(st.lists(st.sampled_from(WORDS["en"]), min_size=4, max_size=8))
    other = data.draw(st.sampled_from(sorted(set(WORDS) - {"en"})))
    foreign = data.draw(st.lists(st.sampled_from(WORDS[other]), min_size=1, max_size=8))
    words = data.draw(st.permutations([*english, *foreign]))
    text = " ".join(words)
    assert languages_of(pl.Series([text])).to_list() == [language_of(text)]
