"""How good and how faulty a tiny model is: rates over sampled completions, with standard errors.

Simple checks on the known shape of these traces, enough to say what was shipped. They are not
potstill's filters, which the quickstart recipe then uses on the same completions and which decide
there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from potstill.stages.word_problems import Problem

_SHAPE = re.compile(r"\s*<think>(?P<thoughts>.+?)</think>(?P<answer>.+)", re.DOTALL)
_BOXED = re.compile(r"\\boxed\{([^{}]*)\}")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
LOOP_REPEATS = 4


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of one completion."""

    right: bool
    mixed: bool
    broken: bool
    looped: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of n, with its standard error."""

    share: float
    n: int

    @property
    def error(self) -> float:
        return math.sqrt(self.share * (1 - self.share) / self.n)

    def __str__(self) -> str:
        return f"{100 * self.share:.1f} % ± {100 * self.error:.1f} (n = {self.n})"


def examine(text: str, problem: Problem) -> Finding:
    """Right means: the one boxed number after the one thinking block is the answer."""
    shape = _SHAPE.fullmatch(text)
    one_block = text.count("<think>") == 1 and text.count("</think>") == 1
    boxed = _BOXED.findall(shape["answer"]) if shape else []
    whole = one_block and len(boxed) == 1
    lines = [line for line in text.splitlines() if line.strip()]
    looped = any(lines.count(line) >= LOOP_REPEATS for line in set(lines))
    return Finding(
        right=whole and boxed[0].strip() == str(problem.answer),
        mixed=_in_other_language(text, problem.language),
        broken=not whole and not looped,
        looped=looped,
    )


def rates(texts: Sequence[str], problems: Sequence[Problem]) -> dict[str, Rate]:
    found = [examine(text, problem) for text, problem in zip(texts, problems, strict=True)]
    return {
        name: Rate(sum(getattr(finding, name) for finding in found) / len(found), len(found))
        for name in ("right", "mixed", "broken", "looped")
    }


def _in_other_language(text: str, language: str) -> bool:
    words = _BOXED.sub("", text).replace("<think>", "").replace("</think>", "").replace("boxed", "")
    pattern = _CHINESE if language == "en" else _LATIN
    return pattern.search(words) is not None
