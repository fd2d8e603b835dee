"""Find the stretches of a text in which one piece is said over and over, wherever they stand.

A stretch of period p says again at every place what stood p earlier. So the earlier place of the
last few characters (`gram`) proposes a period, two more occurrences at that distance confirm it,
and the stretch is then extended to both sides by comparing whole strings. That takes time in
proportion to the text, and needs no list of sentences or words: a text in which every character
stands for a line or a sentence is searched in the same way.

A piece that holds the same `gram` twice is found by its other grams; one in which *every* gram
occurs twice, without being a loop of a shorter period, is not.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_PERIOD = 5000
"""Characters (or lines, or sentences) of the longest piece."""


@dataclass(frozen=True, slots=True)
class Loop:
    """`text[start:end]` repeats its first `period` characters; the last time may be cut off."""

    start: int
    end: int
    period: int

    @property
    def times(self) -> float:
        return (self.end - self.start) / self.period


def find_loops(text: str, gram: int) -> list[Loop]:
    """All loops of three times or more, in the order in which they were met.

    Args:
        gram: how many characters must come again to propose a period; a loop is found if it is
            longer than two periods by as many.
    """
    last: dict[str, int] = {}
    done: dict[int, int] = {}  # period: up to where it has been looked at
    found: list[Loop] = []
    for at in range(len(text) - gram + 1):
        key = text[at : at + gram]
        before = last.get(key)
        last[key] = at
        if before is None:
            continue
        period = at - before
        if period > LONGEST_PERIOD or at < done.get(period, 0):
            continue
        came_before = before >= period and text.startswith(key, before - period)
        if not (came_before or text.startswith(key, at + period)):
            continue
        start = _equal_backward(text, before, period, min(before, done.get(period, 0)))
        end = _equal_forward(text, at + gram, period)
        done[period] = end
        if end - start >= 3 * period:
            found.append(Loop(start, end, period))
    return found


def _equal_forward(text: str, at: int, period: int) -> int:
    """The first place from `at` on that differs from the one a period before, or the end."""
    step = 32
    while step:
        end = min(at + step, len(text))
        if at < end and text[at:end] == text[at - period : end - period]:
            at = end
            step *= 2
        else:
            step = min(step, end - at) // 2
    return at


def _equal_backward(text: str, at: int, period: int, bound: int) -> int:
    """The first place of which all up to `at` are equal to those a period later."""
    step = 32
    while step:
        begin = max(at - step, bound)
        if begin < at and text[begin:at] == text[begin + period : at + period]:
            at = begin
            step *= 2
        else:
            step = min(step, at - begin) // 2
    return at
