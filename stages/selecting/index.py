"""The rows of a dataset as `select` thinks of them: numbers, no texts.

    row  id  prompt  + one column for each thing that a rule asks for (a length, a value, a hash)

Ids are 16 hex digits (pipeline/sample.py), so they are held as numbers of 64 bits: 20 bytes a row
before anything is asked. Shards are read one at a time, and of each only the columns that the
asked expressions name. Which rows go on is not decided here.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ...pipeline.artifact import Artifact
from ...pipeline.shards import read_table, shard_files
from ..mixing.lots import ids_as_numbers


def read_index(source: Artifact, asked: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """row (place in the data, from 0), id and prompt (numbers), and what is asked, by its name."""
    columns = {"id", "prompt_id"}.union(*(each.meta.root_names() for each in asked.values()))
    frames = []
    for file in shard_files(source.path):
        frame = pl.DataFrame(read_table(file, sorted(columns)))
        numbers = [ids_as_numbers(frame[name]) for name in ("id", "prompt_id")]
        ids = pl.DataFrame({"id": numbers[0], "prompt": numbers[1]})
        frames.append(ids.hstack(frame.select(**asked)) if asked else ids)
    return pl.concat(frames, rechunk=True).with_row_index("row")
