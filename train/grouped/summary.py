"""The log of a training on groups in a few numbers: rewards, groups, lengths, divergence.

Means are over the first and the last few generations: one of them says little. What is unknown in
a step is left out of a mean, never zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

GENERATIONS: Final = 10
"""First and last numbers are means over this many, or half of a short training."""
_NAMES: Final = {
    "reward": "reward_parts/sum",
    "unknown": "reward_parts/unknown",
    "kl": "kl",
    "completion_tokens": "completions/mean_length",
    "cut": "completions/clipped_ratio",
}


def summary(log: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Totals of groups, and what the first and the last generations were like.

    Args:
        log: one entry for each optimizer step; entries with `groups/…` begin a generation.
    """
    generations = [entry for entry in log if "groups/rounds" in entry]
    names = [name for name in generations[0] if name.startswith("groups/")]
    groups = {name.partition("/")[2]: _total(generations, name) for name in names}
    few = min(GENERATIONS, max(1, len(generations) // 2))
    parts = [name for name in _all_names(generations) if name.startswith("reward_parts/")]
    wanted = {**{name.partition("/")[2]: name for name in parts}, **_NAMES}
    wanted.pop("sum", None)
    return {
        "generations": len(generations),
        "groups": groups,
        "first": _means(generations[:few], wanted),
        "last": _means(generations[-few:], wanted),
    }


def _all_names(log: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted({name for entry in log for name in entry})


def _total(log: Sequence[Mapping[str, Any]], name: str) -> int:
    return int(sum(entry[name] for entry in log))


def _means(log: Sequence[Mapping[str, Any]], wanted: Mapping[str, str]) -> dict[str, float]:
    """Of what is known; a name that no entry knows is not there."""
    found = {
        told: [entry[name] for entry in log if entry.get(name) is not None]
        for told, name in wanted.items()
    }
    return {told: sum(values) / len(values) for told, values in found.items() if values}
