"""Which samples of one problem differ most: greedy, farthest first.

The first in the data is taken, then again and again the one whose nearest taken sample is farthest
away (Gonzalez 1985, https://doi.org/10.1016/0304-3975(85)90224-5); of equally far ones the first in
the data. The distance of two texts is 1 minus the Jaccard similarity of their shingles: runs of
three words, where a Han character or a kana is one word, and so is every sign. It knows nothing of
meaning: the same solution in other words counts as another one.

Only problems with more samples than are taken are read, through `reorder`, a few million
characters at a time. Shingles are compared by hash within one run and never written.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from ...pipeline.artifact import Artifact
from ...pipeline.shards import shard_files
from ...pipeline.stage import Context
from ..mixing.reorder import reorder
from .choosing import Read
from .measures import text_of

_WORD: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}]|[\p{L}\p{M}\p{N}]+|[^\s]"
_CHARACTERS: Final = 4_000_000
"""Texts that are compared at a time; each takes about 20 times its size as shingles."""
_ROWS: Final = 256
"""Rows read at a time: long traces are 30,000 characters."""


def less_diverse(
    standing: pl.DataFrame, most: int, of: Read, source: Artifact, context: Context
) -> pl.DataFrame:
    """row and reason of what is not among the `most` most different samples of its problem."""
    contested = standing.filter(pl.len().over("prompt") > most)
    first = pl.col("row").min().over("prompt")
    contested = contested.select("row", "prompt", first=first).sort("first", "row")
    taken = [pl.Series(dtype=pl.UInt32)]
    done = 0
    for batch in _whole_problems(contested.select("row", "prompt"), of, source, context):
        taken.append(farthest_first(batch, most))
        done += len(batch)
        context.progress.update(done, len(contested), phase="diverse")
    goes = contested.filter(~pl.col("row").is_in(pl.concat(taken).implode()))
    return goes.select("row", reason=pl.lit("per_prompt", pl.Categorical))


def farthest_first(texts: pl.DataFrame, most: int) -> pl.Series:
    """The rows of the `most` most different samples of each problem.

    Args:
        texts: columns row, prompt (numbers) and text (null: nothing), in the order of the data.
    """
    shingles = _shingles(texts)
    sizes = shingles.group_by("row").len("size")
    state = texts.select("row", "prompt", distance=pl.lit(2.0)).join(sizes, on="row", how="left")
    state = state.with_columns(pl.col("size").fill_null(0))
    taken = []
    for _ in range(most):
        best = state.sort("distance", "row", descending=[True, False])
        best = best.group_by("prompt", maintain_order=True).first()
        taken.append(best["row"])
        state = state.join(best.select("row"), on="row", how="anti", maintain_order="left")
        state = _nearer(state, best, shingles)
    return pl.concat(taken)


def _nearer(state: pl.DataFrame, best: pl.DataFrame, shingles: pl.DataFrame) -> pl.DataFrame:
    """The samples not taken, with their distance to the nearest one that is."""
    of_best = shingles.join(best.select("row"), on="row", how="semi").select("shingle")
    common = shingles.join(of_best, on="shingle", how="semi").group_by("row").len("common")
    state = state.join(common, on="row", how="left", maintain_order="left")
    state = state.join(
        best.select("prompt", of_best="size"), on="prompt", how="left", maintain_order="left"
    )
    shared = pl.col("common").fill_null(0)
    together = pl.col("size") + pl.col("of_best") - shared
    similarity = pl.when(together > 0).then(shared / together).otherwise(1.0)
    distance = pl.min_horizontal("distance", 1.0 - similarity)
    return state.select("row", "prompt", "size", distance=distance)


def _shingles(texts: pl.DataFrame) -> pl.DataFrame:
    """row and shingle (a hash that two problems do not share), each once for a row."""
    lower = pl.col("text").fill_null("").str.to_lowercase()
    words = texts.select("row", "prompt", word=lower.str.extract_all(_WORD)).explode("word")
    words = words.drop_nulls().with_columns(pl.col("word").hash())
    words = words.with_columns(_following(1).alias("second"), _following(2).alias("third"))
    shingle = pl.struct("prompt", "word", "second", "third").hash()
    return words.select("row", shingle=shingle).unique()


def _following(n: int) -> pl.Expr:
    """The word n places on in the same text; 0 behind its end."""
    same_text = pl.col("row") == pl.col("row").shift(-n)
    return pl.when(same_text).then(pl.col("word").shift(-n)).otherwise(pl.lit(0, pl.UInt64))


def _whole_problems(
    rows: pl.DataFrame, of: Read, source: Artifact, context: Context
) -> Iterator[pl.DataFrame]:
    """row, prompt and text of whole problems, about `_CHARACTERS` of them at a time."""
    scratch = context.state / "diverse"
    tables = reorder(
        shard_files(source.path), rows["row"], scratch, ["completion"], rows_per_shard=_ROWS
    )
    waiting = pl.DataFrame(schema={**rows.schema, "text": pl.String})
    done = 0
    for table in tables:
        texts = pl.DataFrame(table).select(text=text_of(of))
        waiting = waiting.vstack(rows.slice(done, len(texts)).hstack(texts))
        done += len(texts)
        if waiting["text"].str.len_bytes().sum() > _CHARACTERS:
            is_last = pl.col("prompt") == pl.col("prompt").last()
            if len(whole := waiting.filter(~is_last)):
                yield whole
            waiting = waiting.filter(is_last)
    if len(waiting):
        yield waiting
