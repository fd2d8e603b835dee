"""When an artifact was finished, and how long it took: `timing.json` beside its manifest.

Clocks are no part of what an artifact is, so a damaged or missing file of them says nothing and
stops no look. A copy keeps it, and need not keep the times of files: whoever asks which of several
artifacts is the latest asks here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .artifact import TIMING


@dataclass(frozen=True)
class Clocks:
    """What `timing.json` says; None where it says nothing."""

    seconds: float | None = None
    """How long the step ran."""
    finished: float | None = None
    """Seconds since 1970."""


def clocks_of(folder: Path) -> Clocks:
    """The clocks of the artifact in a folder."""
    try:
        timing = json.loads((folder / TIMING).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return Clocks()
    if not isinstance(timing, dict):
        return Clocks()
    return Clocks(_number(timing.get("seconds")), _number(timing.get("finished")))


def oldest_first(manifests: Iterable[Path]) -> list[Path]:
    """Manifests in the order in which their artifacts were finished.

    By the time of the file where an artifact has no clocks; by name where two say the same.
    """
    return sorted(manifests, key=_moment)


def _moment(manifest: Path) -> tuple[float, str]:
    finished = clocks_of(manifest.parent).finished
    return (manifest.stat().st_mtime if finished is None else finished, manifest.parent.name)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    # a whole number of JSON has any length, and one that is no float is no time either
    return float(value) if is_number and abs(value) < 1e15 and math.isfinite(value) else None
