"""The thought and the answer of completions, in columns: `models/thinking.py` for a whole shard.

The same rule: what stands after the last `</think>` is the answer, an open think block has none,
and a completion without tags is all answer. A test holds that both agree. White space around the
two parts is a template's business and goes; nothing else of them changes.
"""

from __future__ import annotations

import polars as pl

from ...models.thinking import CLOSE, OPEN


def thought(completion: pl.Expr) -> pl.Expr:
    """The text between the tags; null for a completion without a closed think block."""
    length = _after(completion).str.len_chars().cast(pl.Int64) + len(CLOSE)
    before = completion.str.head(-length)
    opened = before.str.splitn(OPEN, 2).struct.field("field_1")
    text = pl.when(opened.is_null()).then(before).otherwise(opened).str.strip_chars()
    return pl.when(completion.str.contains(CLOSE, literal=True)).then(text)


def answer(completion: pl.Expr) -> pl.Expr:
    """What stands after the thought, or all of a completion that has none."""
    after = _after(completion).str.strip_chars()
    return pl.when(completion.str.contains(CLOSE, literal=True)).then(after).otherwise(completion)


def is_open(completion: pl.Expr) -> pl.Expr:
    """Whether a think block is open at the end, so that there is no answer."""
    return answer(completion).str.contains(OPEN, literal=True).fill_null(False)


def _after(completion: pl.Expr) -> pl.Expr:
    """What stands after the last `</think>`. Splitting is 12 times as fast as a pattern is."""
    return completion.str.split(CLOSE).list.last()
