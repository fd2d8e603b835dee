"""What a `select` step may not say: rules that need another one, or that exclude one another.

Each rule checks its own fields; here stands what concerns two of them. One clear sentence each,
raised while the recipe is read, before anything runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..select import Select


def refuse_contradictions(said: Select) -> None:
    """Raise ValueError where the rules of a step do not go together."""
    _refuse_nothing_said(said)
    _refuse_what_is_missing(said)
    if said.pairs is not None:
        _refuse_beside_pairs(said)
    _refuse_two_of_one(said)


def _refuse_two_of_one(said: Select) -> None:
    if said.one_per == "problem_text" and said.per_prompt is not None and said.per_prompt.most > 1:
        way, most = said.per_prompt.choose, said.per_prompt.most
        raise ValueError(
            f"one_per: problem_text keeps one sample of a problem, so {way}: {most} could never "
            f"keep {most}. Say {way}: 1, or take the problems apart before they are answered"
        )


def _refuse_nothing_said(said: Select) -> None:
    rules = (said.length, said.pass_rate, said.one_per, said.per_prompt, said.balance, said.pairs)
    unsaid = not said.keep and all(rule is None for rule in rules)
    if unsaid and said.in_order.by == "data":
        raise ValueError(
            "select must say what to keep: thresholds (keep), length, pass_rate, one_per, "
            "per_prompt, balance, pairs, or an order"
        )
    if isinstance(said.unknown, dict) and (strange := said.unknown.keys() - said.keep.keys()):
        raise ValueError(f"unknown names {', '.join(sorted(strange))}, which keep does not")


def _refuse_what_is_missing(said: Select) -> None:
    by_difficulty = said.balance is not None and said.balance.by == "difficulty"
    by_rate = said.in_order.needs_rates
    if said.pass_rate is None and (by_difficulty or by_rate):
        who = "balance by difficulty" if by_difficulty else f"order: {said.in_order.by}"
        raise ValueError(
            f"{who} is a matter of pass rates: say which filter tells right from wrong, as in "
            "pass_rate: {by: math}"
        )
    if said.pass_rate is not None and not (said.pass_rate.has_band or by_difficulty or by_rate):
        raise ValueError(
            "pass_rate says neither least nor most, and nothing else uses it: give it a band, "
            "as in pass_rate: {by: math, least: 0.1, most: 0.9}"
        )


def _refuse_beside_pairs(said: Select) -> None:
    pairs = said.pairs
    if pairs is None:
        return
    if said.per_prompt is not None:
        raise ValueError("pairs has a per_prompt of its own: say pairs.per_prompt")
    others = {"one_per": said.one_per, "balance": said.balance}
    named = [name for name, rule in others.items() if rule is not None]
    if said.in_order.by != "data":
        named.append("order")
    if named:
        raise ValueError(
            f"pairs cannot be combined with {', '.join(named)}: pairs stand in the order of their "
            "problems, and keep, length and pass_rate say whose. Make them of samples that another "
            "select step let go on, and judge these"
        )
    pairs.least(said.keep.get(pairs.by))
