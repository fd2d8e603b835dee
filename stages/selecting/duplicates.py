"""The rule `one_per`: one sample of each group of duplicates.

    one_per: exact                    # equal completions of one problem
    one_per: problem_text             # problems that differ in writing alone
    one_per: {by: near_duplicates}    # groups of a filter whose evidence says `duplicate_of`

Problem texts are compared as NFKC (full-width and half-width are one), in lower case, without the
punctuation of sentences at the edges of words and with white space as one blank, none beside Han
characters. Signs that carry meaning in a formula (`- * / ( ) % !`) stay: 5 - 3 is not 53. Which
sample of a group is kept is the order of `per_prompt`, or the first of the data; the others name
it in `left_out/` as `of`. Who is a near-duplicate is a filter's business.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import polars as pl

from ...pipeline.errors import StepFailed
from ...pipeline.references import FilterName
from ...pipeline.stage import Config
from .either import EITHER, SETTINGS, WORD


class SameBy(Config):
    """Groups that a filter found."""

    by: FilterName
    """A filter whose evidence names the sample that one is a `duplicate_of`."""


OnePer: TypeAlias = Annotated[
    Annotated[Literal["exact", "problem_text"], WORD] | Annotated[SameBy, SETTINGS], EITHER
]

SAME: Final = "same"
"""Column of the index: samples with equal numbers are duplicates."""
_SENTENCE: Final = r'[.,;:?…。、"“”„«»「」『』《》]+'
_CHAINS: Final = 64
"""Doublings after which a chain of duplicates is at its end, were it 2^64 long."""


def one_per_measures(one_per: OnePer) -> dict[str, pl.Expr]:
    """What is asked of each row."""
    if one_per == "exact":
        return {SAME: pl.struct("prompt_id", "completion").hash()}
    return {SAME: _problem_text().hash()} if one_per == "problem_text" else {}


def with_groups(index: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    """The index with the column `SAME` for groups that a filter found.

    Args:
        links: id and of (numbers): who is a duplicate of whom, perhaps through others, perhaps of
            a sample of another dataset. Copies in a mixture have one id: they are one group
            anyway, so a copy of itself says nothing; of several links of an id the first counts.

    Raises:
        StepFailed: samples are duplicates of one another in a circle, so none is the original.
    """
    links = links.filter(pl.col("id") != pl.col("of"))
    ends = links.unique("id", keep="first", maintain_order=True)
    for _ in range(_CHAINS):
        further = ends.join(ends.rename({"id": "of", "of": "end"}), on="of", how="left")
        if further["end"].null_count() == len(further):
            break
        ends = further.select("id", of=pl.coalesce("end", "of"))
    if len(circle := ends.join(ends.select(of="id"), on="of", how="semi")):
        raise StepFailed(
            f"{len(circle)} samples are duplicates of one another in a circle, so that none of "
            "them is the first. Expected duplicate_of to name a sample that is none itself"
        )
    joined = index.join(ends.rename({"of": SAME}), on="id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(SAME, "id").alias(SAME))


def duplicates(ordered: pl.DataFrame) -> pl.DataFrame:
    """row, reason and of (the row kept in its place) of what is not the first of its group.

    Args:
        ordered: the standing samples, of each group first which is to be kept.
    """
    first = pl.col("row").first().over(SAME).alias("of")
    found = ordered.select("row", first).filter(pl.col("row") != pl.col("of"))
    return found.with_columns(reason=pl.lit("duplicate", pl.Categorical))


def _problem_text() -> pl.Expr:
    turn = pl.element().struct
    text = turn.field("content").str.normalize("NFKC").str.to_lowercase()
    for pattern, instead in (
        (rf"{_SENTENCE}(\s|$)", "$1"),
        (rf"(^|\s){_SENTENCE}", "$1"),
        (r"\s+", " "),
        (r"(\p{Han}) ", "$1"),
        (r" (\p{Han})", "$1"),
    ):
        text = text.str.replace_all(pattern, instead)
    said = pl.concat_str(turn.field("role"), text.str.strip_chars(" "), separator="\n")
    return pl.col("prompt").list.eval(said).list.join("\n\n")
