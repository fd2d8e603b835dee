"""Which languages other than Python can be judged on this machine.

A language is a row of this table; how its programs are compiled and run is in `toolchains.py`. What
is not in the table, or whose tools are not installed, is told as missing, by name: such a row of a
data set is unknown and not wrong. All of them run as whole programs (`Script`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from . import toolchains
from .execution import RunnerMissing
from .toolchains import Runner

_RUNNERS: Final[Mapping[str, Callable[[str, int], Runner]]] = {
    "c": toolchains.c,
    "cpp": toolchains.cpp,
    "java": toolchains.java,
    "javascript": toolchains.javascript,
    "rust": toolchains.rust,
}


def runner_for(language: str, code: str, memory_mb: int) -> Runner:
    """How to run this program here.

    Args:
        language: its name in `programs/language_tags.py`.
        memory_mb: the program's limit, which some runtimes must be told.

    Raises:
        RunnerMissing: the language is unknown or its tools are not here; names what is missing.
    """
    make = _RUNNERS.get(language)
    if make is None:
        known = ", ".join(sorted(["python", *_RUNNERS]))
        raise RunnerMissing(f"no runner for {language!r:.40} here; there are runners for {known}")
    return make(code, memory_mb)
