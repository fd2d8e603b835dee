"""What counts as a word, and what is only the name of a thing."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from potstill.filters.languages.scripts import SCRIPTS, SCRIPTS_OF_LANGUAGE, language_code
from potstill.filters.languages.words import RUN, count_words, is_language_word, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("123 + 4.5 = ?", 0),
        ("don't pass-book café", 3),
        ("cafe\u0301 re\u0301sume\u0301", 2),
        ("三个苹果", 4),
        ("りんご", 3),
        ("データ", 3),
        ("人々", 2),
        ("사과 яблоко", 2),
        ("حسنًا، هذا", 2),
        ("می‌توانیم", 1),
        ("टोकरी में कितने", 3),
        ("ভাষা", 1),
        ("x² ① ½ ㎝ ℝ 𝑥 Ａ", 1),
    ],
)
def test_words(text, words):
    assert count_words(text) == words


def test_tokens_are_lower_case_words_and_numbers_with_their_places():
    assert tokens("Add 12 苹") == [("add", 0, 3), ("12", 4, 6), ("苹", 7, 8)]


def words_of(text: str) -> list[str]:
    return [found.group() for found in RUN.finditer(text) if is_language_word(found.group())]


@pytest.mark.parametrize(
    "text",
    [
        "x y z I a",
        "x1 a_1 snake_case camelCase 3rd 2nd",
        "sin(x) f(x) print(",
        "sin cos log gcd mod",
        "5 cm, 60km/h, 3 kg",
        "ABCD GCD",
        "α β αβ",
        "²①",
        "dx bc pqr",
        "x\u0304 y\u0304",
        "ii iv",
        "hmm Ok",
    ],
)
def test_names_of_things_are_words_of_no_language(text):
    assert words_of(text) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("why my try", ["why", "my", "try"]),
        ("then 我们 go", ["then", "我们", "go"]),
        ("りんごが三つ", ["りんごが", "三", "つ"]),
        ("и в это", ["и", "в", "это"]),
        ("SHOUTED NASA", ["SHOUTED"]),
        ("don’t stop", ["don’t", "stop"]),
        ("ﬁnd", ["ﬁnd"]),
    ],
)
def test_words_of_a_language(text, words):
    assert words_of(text) == words


def test_no_letter_belongs_to_two_scripts():
    for name, letters in SCRIPTS.items():
        others = "".join(each for other, each in SCRIPTS.items() if other != name)
        both = re.compile(rf"(?=[{letters}])[{others}]")
        assert not both.search("".join(map(chr, range(0x20000)))), name


@given(st.text())
def test_every_run_is_of_one_script(text):
    for found in RUN.finditer(text):
        assert found.group()
        if found.lastgroup not in ("Latin", "other"):  # Latin takes in the digits that glue to it
            assert re.fullmatch(rf"[{SCRIPTS[str(found.lastgroup)]}]+", found.group())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("zh-Hant", "zh"),
        ("EN_us", "en"),
        ("Chinese (Simplified)", "zh"),
        ("deutsch", "de"),
        ("jpn", "ja"),
        (" fr ", "fr"),
        ("tlh", None),
        ("", None),
    ],
)
def test_languages_go_by_many_names(name, code):
    assert language_code(name) == code


def test_every_target_has_a_script():
    for code, scripts in SCRIPTS_OF_LANGUAGE.items():
        assert language_code(code) == code
        assert set(scripts) <= set(SCRIPTS)
