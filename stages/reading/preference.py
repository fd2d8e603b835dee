r"""Preference pairs as datasets write them: a better and a worse completion of one prompt.

    {prompt, chosen: text, rejected: text}                       the prompt in a column
    {chosen: [turn, …], rejected: [turn, …]}                     alike but for their last turns
    {chosen: "\n\nHuman: …\n\nAssistant: …", rejected: …}        the same as text (hh-rlhf)

A row becomes two samples, the better one first, that carry `pair` and `side` on disk
(`pipeline/pairs.py`); a row of which one side cannot be used is a bad row whole, so no half of a
pair is left. Nothing is judged: which side is better the source says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import polars as pl
import pyarrow as pa

from ...pipeline.pairs import CHOSEN, PAIR_SCHEMA, REJECTED
from .conversations import is_answer
from .rows import BadRow

Turns: TypeAlias = list[Any]

SIDES: Final = (CHOSEN, REJECTED)
_SPEAKER: Final = re.compile(r"\n\n(Human|Assistant):")


def preference(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The row with its better completion, and with its worse one, in the column `chosen`.

    Raises:
        BadRow: missing:chosen, wrong_type:chosen or no_completion (and so of rejected), or
            two_prompts where the sides, or they and the prompt's column, do not agree on it.
    """
    better, worse = (_turns(row, side) for side in SIDES)
    rest = {name: value for name, value in row.items() if name not in SIDES}
    asked = better[:-1]
    if asked != worse[:-1]:
        raise BadRow("two_prompts")
    if not asked:
        return [{**rest, CHOSEN: turns} for turns in (better, worse)]
    told = rest.pop("prompt", None)
    if told is not None and told != asked and told not in map(_text, asked):
        raise BadRow("two_prompts")
    return [{**rest, "prompt": turns} for turns in (better, worse)]


def with_sides(samples: pa.Table, before: int) -> pa.Table:
    """Samples of such rows as they are written, with their pairs numbered.

    Args:
        samples: in `SAMPLE_SCHEMA`; of each two the first is the better one.
        before: rows that were written before these.
    """
    places = pl.int_range(before, before + samples.num_rows, eager=True)
    sides = (places % 2).replace_strict([0, 1], SIDES, return_dtype=pl.String)
    pairs = samples.append_column("pair", (places // 2).to_arrow())
    return pairs.append_column("side", sides.to_arrow()).cast(PAIR_SCHEMA)


def _turns(row: Mapping[str, Any], side: str) -> Turns:
    """A side as turns of which the last is the completion."""
    value = row.get(side)
    if value is None:
        raise BadRow(f"missing:{side}")
    if isinstance(value, str):
        value = _spoken(value) or [{"role": "assistant", "content": value}]
    if not isinstance(value, list):
        raise BadRow(f"wrong_type:{side}")
    if not value or not is_answer(value[-1]):
        raise BadRow("no_completion")
    return value


def _spoken(text: str) -> Turns:
    """The turns of a conversation written as text; none where it is not one."""
    first, *pieces = _SPEAKER.split(text)
    if first or pieces[:1] != ["Human"]:
        return []
    said = zip(pieces[::2], pieces[1::2], strict=True)
    return [{"role": speaker.lower(), "content": words.strip()} for speaker, words in said]


def _text(turn: Any) -> Any:
    return turn.get("content", turn.get("value")) if isinstance(turn, Mapping) else None
