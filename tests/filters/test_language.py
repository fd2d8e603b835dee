"""The language filter: targets, parts, spans, and that doubt never makes a word foreign.

What is right or wrong stands in `cases/language*.jsonl`; here is what a case cannot say.
"""

import itertools
import json
import re
import socket
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.filters.language import Language
from potstill.filters.languages.detector import NO_GUESS, guess
from potstill.filters.languages.east_asian import CHINESE_ONLY, is_japanese
from potstill.filters.languages.excuses import Excuses
from potstill.filters.languages.function_words import FUNCTION_WORDS, SHARED_WORDS, owners
from potstill.filters.languages.own_script import OwnScript
from potstill.filters.languages.problem_language import language_of
from potstill.filters.languages.reading import read
from potstill.filters.languages.scripts import SCRIPTS_OF_LANGUAGE
from potstill.pipeline.sample import Message, new_sample

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
SENTENCES = Path(__file__).with_name("sentences")


def judge(completion: str, language: str | None, prompt: str = "", **config):
    made = new_sample((Message("user", prompt),), completion=completion, language=language)
    return Language(**config).judge_one(made)


def lines_of(language: str) -> list[str]:
    return (SENTENCES / f"{language}.txt").read_text("utf-8").splitlines()


def test_spans_point_at_the_foreign_words_of_the_completion():
    completion = "<think>first 先算 一共, then it is 答案 $苹果$ done. Он сказал нет.</think>x"
    evidence = judge(completion, "en").evidence
    found = [(completion[slice(*each["span"])], each["language"]) for each in evidence["foreign"]]
    assert found == [("先算 一共", "zh"), ("答案", "zh"), ("Он сказал нет", "ru")]
    assert evidence["foreign_spans"] == 3


def test_spans_of_the_answer_are_offsets_into_the_completion_too():
    completion = "<think>so five.</think>The answer is 五."
    verdict = judge(completion, "en", of="both")
    assert verdict.evidence["part"] == "answer"
    assert completion[slice(*verdict.evidence["foreign"][0]["span"])] == "五"


def test_both_shares_are_evidence_whatever_is_asked():
    completion = "<think>two and three make five</think>五个 apples are here"
    for of in ("thought", "answer", "both"):
        evidence = judge(completion, "en", of=of).evidence
        assert (evidence["thought_share"], evidence["answer_share"]) == (1.0, 0.6)
    assert judge("<think>open", "en").evidence["answer_share"] is None


def test_many_foreign_spans_are_counted_but_not_all_listed():
    evidence = judge("<think>" + "word 字 " * 500, "en").evidence
    assert evidence["foreign_spans"] == 500
    assert len(evidence["foreign"]) < 100


@pytest.mark.parametrize(
    ("row", "prompt", "config", "origin", "target"),
    [
        ("zh-Hant", "How many?", {}, "row", "zh"),
        (None, "一共有多少个苹果？", {}, "prompt", "zh"),
        (" ", "¿Cuántas manzanas hay?", {}, "prompt", "es"),
        ("zh", "¿Cuántas manzanas hay?", {"target": "German"}, "config", "de"),
    ],
)
def test_where_the_target_comes_from(row, prompt, config, origin, target):
    evidence = judge("<think>5</think>5", row, prompt, **config).evidence
    assert (evidence["target_from"], evidence["target"]) == (origin, target)


def test_a_target_that_cannot_be_judged_is_refused_in_the_config():
    with pytest.raises(ValidationError, match="'nl'; expected one of en, es"):
        Language(target="nl")


@pytest.mark.parametrize("language", SCRIPTS_OF_LANGUAGE)
def test_the_language_of_a_problem(language):
    assert language_of(" ".join(lines_of(language)[:2])) == language


@pytest.mark.parametrize("problem", ["", "$2+3$", "2 + 3 = ?", "∠ABC"])
def test_a_problem_without_words_has_no_language(problem):
    assert language_of(problem) is None


def test_the_lists_of_frequent_words_are_apart():
    for script, lists in FUNCTION_WORDS.items():
        words = [word for text in lists.values() for word in text.split()]
        assert len(words) == len(set(words)), script
        assert all(word == word.lower() for word in words)
        assert set(owners(script).values()) == set(lists)
    assert set(SHARED_WORDS) <= set(FUNCTION_WORDS["Latin"])


SAME_SCRIPT = [
    *(("en", other) for other in ["es", "de", "fr", "pt", "it", "nl", "pl", "tr", "vi", "id"]),
    *(("es", other) for other in ["en", "pt", "it", "fr"]),
    *(("de", other) for other in ["en", "nl"]),
    *[("ru", "uk"), ("ru", "bg"), ("ar", "fa"), ("hi", "mr"), ("pt", "es"), ("it", "es")],
]


@pytest.mark.parametrize(("target", "foreign"), SAME_SCRIPT)
def test_foreign_sentences_of_one_script_are_told_alone(target, foreign):
    reader = OwnScript(target)
    long = [line for line in lines_of(foreign) if len(line) > 40]
    missed = [line for line in long if not reader.survey(line)[1]]
    assert len(missed) <= len(long) // 10, missed


@pytest.mark.parametrize("target", SCRIPTS_OF_LANGUAGE)
def test_no_sentence_of_the_target_is_foreign(target):
    for line in [*lines_of(target), " ".join(lines_of(target))]:
        assert read(line, target, Excuses([], target)).foreign == [], line


def test_chinese_characters_that_japanese_does_not_write():
    assert not set(CHINESE_ONLY) & set("".join(lines_of("ja")))
    assert set(CHINESE_ONLY) & set("".join(lines_of("zh")))
    assert set(CHINESE_ONLY) & set("".join(lines_of("zh-Hant")))
    assert all(is_japanese(line) for line in lines_of("ja"))


def test_the_library_never_reaches_for_the_network(monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    guess_ = guess("Entonces la respuesta es cinco.", "Latin")
    assert guess_.language == "es"
    assert guess_ == guess("Entonces la respuesta es cinco.", "Latin"), "deterministic"
    assert guess("1 + 2", "Latin") == guess("", "Latin") == NO_GUESS
    assert guess("a \ud800 b", "Latin").probability <= 1.0


WORDS = st.sampled_from(
    [
        *(
            "the ",
            "we ",
            "答案",
            "因为",
            "por lo tanto ",
            "und ",
            "это ",
            "は",
            "です",
            "그러므로 ",
        ),
        *("x ", "$x$ ", "Natalia ", "\\text{so}", "<think>", "</think>", "\ud800", "é", "हैं "),
        *'。.,!?\n"“”‘’()`\\<>=',
    ]
)


@given(
    st.lists(WORDS, max_size=80).map("".join) | st.text(),
    st.sampled_from([*SCRIPTS_OF_LANGUAGE]),
    st.sampled_from(["thought", "answer", "both"]),
)
@settings(max_examples=150, deadline=None)
def test_verdicts_are_sound_on_any_text(completion, language, of):
    verdict = judge(completion, language, "Natalia hat 答案", of=of)
    assert verdict.score is not None
    assert 0.0 <= verdict.score <= 1.0
    assert verdict.reason in Language.reasons
    spans = [each["span"] for each in verdict.evidence.get("foreign", [])]
    assert spans == sorted(spans)
    assert all(0 <= start < end <= len(completion) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    assert all(re.search(r"[^\W\d_]|[\u0900-\u097f]", completion[a:b]) for a, b in spans)
    assert bool(spans) == (
        (verdict.score < 1.0 and verdict.reason.endswith("language"))
        or verdict.reason == "mixed_languages"
    )


@pytest.mark.parametrize(
    "unit", ["a ", "字 a ", "“a”", "の字", "que the ", "字\n", ",the", "Ab ", "и "]
)
@pytest.mark.parametrize("language", ["en", "zh", "ja"])
def test_hostile_text_takes_linear_time(unit, language):
    text = (unit * 200_000)[:200_000]
    began = time.process_time()
    judge(f"<think>{text}</think>x", language, text[:50_000])
    assert time.process_time() - began < 10, "about 1 s on two slow cores"


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
def test_real_solutions_have_no_foreign_word():
    rows = (DATA / "gsm8k_train.jsonl").read_text("utf-8").splitlines()[:1500]
    verdicts = [judge(json.loads(row)["answer"], "en") for row in rows]
    assert sum(verdict.score == 1.0 for verdict in verdicts) >= 1497
    rows = (DATA / "cmath.jsonl").read_text("utf-8").splitlines()
    assert all(judge(json.loads(row)["question"], "zh").score == 1.0 for row in rows)


@pytest.mark.skipif(not DATA.is_dir(), reason="needs ../shared/data")
@pytest.mark.parametrize(("language", "other"), [("en", "zh"), ("zh", "en")])
def test_real_answers_are_in_their_language_and_in_no_other(language, other):
    rows = json.loads((DATA / f"alpaca_{language}_demo.json").read_text("utf-8"))[:500]
    long = [row["output"] for row in rows if len(row["output"]) >= 100]
    right = sorted(judge(text, language).score or 0.0 for text in long)
    wrong = sorted(judge(text, other).score or 0.0 for text in long)
    assert right[len(long) // 10] >= 0.95, "nine of ten are consistent"
    assert wrong[-len(long) // 10] <= 0.5
