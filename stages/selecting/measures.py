"""How long a part of a sample is, as an expression over its columns.

Parts are the prompt (all its turns), the whole completion, the thought and the answer, split where
`models/thinking.py` splits; the text of an open think block is thought, and a part that is not
there is 0 long. Characters are code points. Words are those of `filters/languages/words.py` (one
Han character is one word) and every run of digits. Tokens are the teacher's own count of the
prompt or the completion: of other parts there is none. None is unknown.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import polars as pl

from ...filters.languages.words import token_texts
from ...models.thinking import CLOSE, OPEN
from ..exporting.thoughts import answer, is_open, thought

Part: TypeAlias = Literal["prompt", "completion", "thought", "answer"]
Unit: TypeAlias = Literal["characters", "words", "tokens"]

COUNTED: Final = ("prompt", "completion")
"""Parts whose tokens a teacher counts."""
_AFTER_OPEN: Final = f"(?s)^.*?{OPEN}(.*)$"
_OPEN_THEN_CLOSE: Final = f"(?s){OPEN}.*{CLOSE}"


def text_of(part: Part) -> pl.Expr:
    """The text of a part; null where there is no completion."""
    completion = pl.col("completion")
    if part == "prompt":
        return pl.col("prompt").list.eval(pl.element().struct.field("content")).list.join("\n")
    if part == "completion":
        return completion
    if part == "answer":
        return pl.when(is_open(completion)).then(pl.lit("")).otherwise(answer(completion))
    closed = thought(completion).fill_null("")
    text = pl.when(is_open(completion)).then(_open_thought(completion)).otherwise(closed)
    return pl.when(completion.is_not_null()).then(text)


def length_of(part: Part, unit: Unit) -> pl.Expr:
    """The length of a part; null where it is unknown."""
    if unit == "tokens":
        return pl.col("generation").struct.field(f"{part}_tokens")
    if unit == "words":
        words = text_of(part).map_elements(lambda text: len(token_texts(text)), pl.Int64)
        return words.cast(pl.Int64)
    if part == "prompt":
        turns = pl.element().struct.field("content").str.len_chars()
        return pl.col("prompt").list.eval(turns).list.sum().cast(pl.Int64)
    return text_of(part).str.len_chars().cast(pl.Int64)


def _open_thought(completion: pl.Expr) -> pl.Expr:
    """What was thought where the block is open at the end: from its first tag, or from the start
    where it opens again after a `</think>` that nothing opened."""
    closes = completion.str.contains(CLOSE, literal=True)
    from_start = closes & ~completion.str.contains(_OPEN_THEN_CLOSE)
    opened = completion.str.extract(_AFTER_OPEN)
    return pl.when(from_start).then(completion).otherwise(opened).str.strip_chars()
