"""Datasets side by side: how many rows of what, which rows they share, and their columns.

Of a mixture the groups are those that `mix` counted (samples, tokens, loss tokens); of any other
dataset the samples are counted here by the columns it has, and tokens are unknown. Rows are the
same where their ids are; without ids nothing is said of that. What nobody counted is None, not 0:
a group that a dataset has no column for, and a rare value that `mix` told as one of `57 others`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from .compare_settings import differing_settings
from .dataset import Dataset

UNITS: Final = ("samples", "tokens", "loss_tokens")
GROUPS: Final = ("source", "task", "language", "length")
UNKNOWN: Final = "unknown"
MOST_REPORTED: Final = 100
"""Values of a group that the report of a mixture tells one by one."""
_OTHERS: Final = r"[0-9]+ others"

Counts = Mapping[str, int | None]
Groups = Mapping[str, Counts]


@dataclass(frozen=True)
class Group:
    """Counts by value; `others` is the name under which the rarest ones are told together."""

    values: Groups
    counted: bool = True
    others: str | None = None

    def count(self, value: str, unit: str, all_others: Collection[str]) -> int | None:
        """None where nobody counted it, 0 where there is no such row.

        Args:
            all_others: names that stand for rare values here or in another group.
        """
        if value in self.values:
            return self.values[value].get(unit, 0)
        is_told = self.counted and self.others is None and value not in all_others
        return 0 if is_told else None


NOT_COUNTED: Final = Group({}, counted=False)


def compare_data(members: Sequence[Dataset]) -> dict[str, Any]:
    """Facts as JSON values; each list has an entry for each member.

    `groups` holds for each group, value and unit the counts, the shares of the member's total and
    the differences of the shares from the first member's; None is unknown.
    """
    metrics = [{} if each.artifact is None else each.artifact.metrics for each in members]
    groups = [_groups(member, found) for member, found in zip(members, metrics, strict=True)]
    totals = [_total(member, found) for member, found in zip(members, metrics, strict=True)]
    lengths = {found["length_in"] for found in metrics if "length_in" in found}
    comparable = [name for name in GROUPS if name != "length" or len(lengths) == 1]
    return {
        "total": {unit: [total[unit] for total in totals] for unit in UNITS},
        "length_in": lengths.pop() if len(lengths) == 1 else None,
        "groups": {
            name: _side_by_side(name, [each.get(name, NOT_COUNTED) for each in groups], totals)
            for name in comparable
            if any(name in each for each in groups)
        },
        "rows": _rows(members),
        "left_out": _reasons(metrics),
        "columns": _columns(members),
        "settings": differing_settings([member.artifact for member in members]),
    }


def _total(member: Dataset, metrics: Mapping[str, Any]) -> Counts:
    if "total" in metrics:
        return {unit: metrics["total"][unit] for unit in UNITS}
    return {"samples": _number_of_rows(member), "tokens": None, "loss_tokens": None}


def _number_of_rows(member: Dataset) -> int:
    assert member.own is not None, "a dataset has rows"
    if member.own.total is not None:
        return member.own.total
    return int(member.own.frame.select(pl.len()).collect(engine="streaming").item())


def _groups(member: Dataset, metrics: Mapping[str, Any]) -> dict[str, Group]:
    """Counts by group and value; a group that was not counted is not there."""
    if "report" in metrics:
        return {name: _reported(values) for name, values in metrics["report"].items()}
    assert member.own is not None, "a dataset has rows"
    schema = member.own.frame.collect_schema()
    found = {}
    for name in GROUPS:
        if schema.get(name) == pl.String:
            value = pl.when(pl.col(name) != "").then(name).fill_null(UNKNOWN).alias("value")
            counted = member.own.frame.group_by(value).len().collect(engine="streaming")
            found[name] = Group({each: {"samples": rows} for each, rows in counted.iter_rows()})
    return found


def _reported(values: Groups) -> Group:
    told = [value for value in values if re.fullmatch(_OTHERS, value)]
    return Group(values, others=told[0] if told and len(values) > MOST_REPORTED else None)


def _side_by_side(
    name: str, groups: Sequence[Group], totals: Sequence[Counts]
) -> dict[str, dict[str, Any]]:
    values = sorted({value for group in groups for value in group.values}, key=_place(name))
    others = {group.others for group in groups if group.others is not None}
    return {
        value: {
            unit: _shares(
                [
                    None if total[unit] is None else group.count(value, unit, others)
                    for group, total in zip(groups, totals, strict=True)
                ],
                [total[unit] for total in totals],
            )
            for unit in UNITS
        }
        for value in values
    }


def _place(name: str) -> Callable[[str], tuple[bool, int, str]]:
    """Lengths by number, the others by name, `unknown` last."""

    def place(value: str) -> tuple[bool, int, str]:
        is_length = name == "length" and value != UNKNOWN
        return value == UNKNOWN, int(value.partition("-")[0]) if is_length else 0, value

    return place


def _shares(counts: Sequence[int | None], totals: Sequence[int | None]) -> dict[str, Any]:
    shares = [
        None if count is None or not total else count / total
        for count, total in zip(counts, totals, strict=True)
    ]
    return {"counts": list(counts), "shares": shares, "differences": differences(shares)}


def differences(values: Sequence[float | None]) -> list[float | None]:
    """From the first; None where one of the two is unknown, and for the first itself."""
    first = values[0]
    return [None] + [
        None if first is None or value is None else value - first for value in values[1:]
    ]


def _rows(members: Sequence[Dataset]) -> dict[str, Any] | None:
    """How many different ids each has, how often they come again, and whose they are."""
    frames = [None if member.own is None else member.own.frame for member in members]
    if any(frame is None or "id" not in frame.collect_schema() for frame in frames):
        return None
    counted = [
        frame.select(pl.col("id").cast(pl.String)).group_by("id").len().collect(engine="streaming")
        for frame in frames
        if frame is not None
    ]
    whose = [each.select("id", whose=pl.lit(n)) for n, each in enumerate(counted)]
    by_id = pl.concat(whose).group_by("id").agg(pl.len(), pl.col("whose").first())
    alone = dict(by_id.filter(len=1)["whose"].value_counts().iter_rows())
    return {
        "different": [len(each) for each in counted],
        "copies": [int(each["len"].sum()) - len(each) for each in counted],
        "in_all": len(by_id.filter(len=len(members))),
        "only_there": [alone.get(n, 0) for n in range(len(members))],
    }


def _reasons(metrics: Sequence[Mapping[str, Any]]) -> dict[str, list[int | None]]:
    """Rows that did not go on, by what became of them and why; None: that step says nothing."""
    kinds = ("quarantined", "failed", "left_out")
    names = {
        f"{kind}/{reason}": (kind, reason)
        for found in metrics
        for kind in kinds
        if isinstance(found.get(kind), Mapping)
        for reason in found[kind]
    }
    return {
        name: [
            found[kind].get(reason, 0) if isinstance(found.get(kind), Mapping) else None
            for found in metrics
        ]
        for name, (kind, reason) in sorted(names.items())
    }


def _columns(members: Sequence[Dataset]) -> dict[str, list[str | None]]:
    """Types of the columns that are not the same everywhere; None: it has no such column."""
    schemas = [{} if member.own is None else member.own.columns() for member in members]
    names = dict.fromkeys(name for schema in schemas for name in schema)
    types = {name: [schema.get(name) for schema in schemas] for name in names}
    return {name: found for name, found in types.items() if len(set(found)) > 1}
