"""Find the stretches of a text in which one piece is said over and over, wherever they stand.

A stretch of period p says again at every place what stood p earlier. So the earlier place of the
last few characters (`gram`) proposes a period, two more occurrences at that distance confirm it,
and the stretch is then extended to both sides by comparing whole strings. That takes time in
proportion to the text, and needs no list of sentences or words: a text in which every character
stands for a line or a sentence is searched in the same way.

Most texts hold no loop, and `may_loop` tells so much faster, from a probe every few characters.

A piece that holds the same `gram` twice is found by its other grams; one in which *every* gram
occurs twice, without being a loop of a shorter period, is not.
"""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_PERIOD = 5000
"""Characters (or lines, or sentences) of the longest piece."""
SHORTEST_LOOP = 60
"""Characters of the shortest loop that `may_loop` is asked for."""
_NEAR = (20, 64)
_FAR = (64, LONGEST_PERIOD)
"""Length of a probe (and distance between probes), and the longest period it is to find."""


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


def may_loop(text: str) -> bool:
    """Whether a piece may stand three times in a row over `SHORTEST_LOOP` characters or more.

    False is certain: at least `_equal_at_least(period)` places of a loop equal those a period
    later, so that a whole probe, of this length and set this densely, lies among them.
    """
    return _meets_itself(text, *_NEAR) or _meets_itself(text, *_FAR)


def _meets_itself(text: str, size: int, longest: int) -> bool:
    for at in range(0, len(text) - size, size):
        probe, bound = text[at : at + size], at + longest + size
        again = text.find(probe, at + 1, bound)
        while again >= 0:
            equal = _equal_at_least(again - at) - size + 1  # from the loop's first probe on
            if text.startswith(text[at : at + equal], again):
                return True
            again = text.find(probe, again + 1, bound)
    return False


def _equal_at_least(period: int) -> int:
    return 2 * max(period, SHORTEST_LOOP // 3)


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
