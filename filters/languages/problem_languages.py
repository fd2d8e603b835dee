"""The languages of many problems at once: `language_of` for a column.

Most problems are plainly English or Chinese, and columns tell so for 3 µs where `language_of` takes
100 and more. What is not plain is asked of it, each different text once. Plain is

* English: ASCII alone, at least `_ENOUGH` words of the English list of `function_words.py`, and
  none of any other list;
* Chinese: Han characters, at least `_SHARE` times as many as there are words of other scripts, and
  no kana or Hangul.

A test holds both rules to the answers of `language_of`.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import polars as pl

from .function_words import FUNCTION_WORDS
from .problem_language import language_of
from .scripts import HAN, KANA, SCRIPTS

_LONGEST: Final = 4000
"""Characters read of a problem, as `language_of` reads."""
_ENOUGH: Final = 4
_SHARE: Final = 4
_EAST: Final = f"[{KANA}{SCRIPTS['Hangul']}]"
_WORD: Final = r"[A-Za-z\u00aa-\u1cff]+"
"""Runs of letters in the scripts with spaces, near enough to be counted."""


def languages_of(problems: pl.Series) -> pl.Series:
    """The language code of each problem, null where it is in doubt (or the problem is null)."""
    text = pl.col("text").str.slice(0, _LONGEST)
    plain = pl.DataFrame({"text": problems}).select(
        "text",
        language=pl.when(_is_chinese(text))
        .then(pl.lit("zh"))
        .when(_are_english(problems.str.slice(0, _LONGEST)))
        .then(pl.lit("en")),
    )
    asked = plain.filter(pl.col("language").is_null() & pl.col("text").is_not_null())
    texts = asked["text"].unique(maintain_order=True).to_list()
    answers = pl.DataFrame(
        {"text": texts, "answer": [language_of(text) for text in texts]},
        schema={"text": pl.String, "answer": pl.String},
    )
    joined = plain.join(answers, on="text", how="left", maintain_order="left")
    return joined.select(pl.coalesce("language", "answer"))["language"]


def _is_chinese(text: pl.Expr) -> pl.Expr:
    han, words = text.str.count_matches(f"[{HAN}]"), text.str.count_matches(_WORD)
    return (han > 1) & (han >= _SHARE * words) & ~text.str.contains(_EAST)


def _are_english(texts: pl.Series) -> pl.Series:
    """Whether each text is ASCII with enough English words and none of another language."""
    is_ascii = (texts.str.len_bytes() == texts.str.len_chars()).fill_null(False)
    english, others = _lists()
    words = (
        pl.LazyFrame({"row": pl.int_range(texts.len(), eager=True), "text": texts})
        .filter(is_ascii)
        .select("row", word=pl.col("text").str.to_lowercase().str.extract_all(r"[a-z']+"))
        .explode("word")
    )
    counts = words.group_by("row").agg(
        english=pl.col("word").is_in(english).sum(), others=pl.col("word").is_in(others).sum()
    )
    plain = counts.filter((pl.col("english") >= _ENOUGH) & (pl.col("others") == 0))
    rows = plain.select("row").collect()["row"]
    return pl.int_range(texts.len(), eager=True).is_in(rows.implode())


@cache
def _lists() -> tuple[list[str], list[str]]:
    """English words, and the ASCII words of all other Latin lists."""
    lists = {name: set(words.split()) for name, words in FUNCTION_WORDS["Latin"].items()}
    others = set().union(*(words for name, words in lists.items() if name != "en")) - lists["en"]
    return sorted(lists["en"]), sorted(word for word in others if word.isascii())
