"""The rule `per_prompt` of a select step, seen from one sample: its place, and of how many.

Its rivals are the samples of its problem that no earlier rule had left out. What decides is read
from the step's config and the samples' lengths; where lots or distances decided, there is no place
to tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .terminal import count, number
from .why_problem import Problem
from .why_steps import Step


def _rank(step: Step, sample_id: str, problem: Problem) -> tuple[int, int] | None:
    """Place of a sample among those that `per_prompt` chose from, from 1, and how many they were;
    the place is 0 where lots or distances decided. None where the step has no such rule."""
    rule = step.config.get("per_prompt")
    source = step.input(step.config.get("samples"), problem.steps)
    if not rule or source is None:
        return None
    left = problem.left_out(step)
    ids = list(dict.fromkeys(row["id"] for row in problem.rows(source)))
    # balance is the only rule that comes after per_prompt, so what it left out was a candidate.
    after = ("per_prompt", "balance", "balance_others")
    rivals = [one for one in ids if one not in left or left[one]["reason"] in after]
    if sample_id not in rivals:
        return None
    way = _way(rule)
    if way in ("shortest", "longest"):
        part, unit = rule.get("of", "completion"), rule.get("unit", "characters")
        lengths = {one: problem.length(one, part, unit) for one in rivals}
        down = -1 if way == "longest" else 1
        rivals.sort(key=lambda one: (lengths[one] is None, down * (lengths[one] or 0)))
    place = 0 if way in ("random", "diverse") else rivals.index(sample_id) + 1
    return place, len(rivals)


def chosen_because(step: Step, sample_id: str, problem: Problem) -> str:
    """`shortest 2: 4th of 6, 812 characters`; empty where `per_prompt` had no say."""
    found = _rank(step, sample_id, problem)
    return "" if found is None else _told(step, sample_id, problem, *found)


def _told(step: Step, sample_id: str, problem: Problem, place: int, of: int) -> str:
    rule = step.config["per_prompt"]
    way = _way(rule)
    part, unit = rule.get("of", "completion"), rule.get("unit", "characters")
    said = f"{way} {number(rule[way])}"
    if not place:
        return f"{said} of {of:,}"
    long = problem.length(sample_id, part, unit) if way in ("shortest", "longest") else None
    length = "" if long is None else f", {count(long)} {unit}"
    return f"{said}: {_ordinal(place)} of {of:,}{length}"


def _way(rule: Mapping[str, Any]) -> str:
    ways = ("shortest", "longest", "first", "random", "diverse")
    return next(way for way in ways if rule.get(way) is not None)


def _ordinal(place: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{place}{'th' if place % 100 in (11, 12, 13) else ends.get(place % 10, 'th')}"
