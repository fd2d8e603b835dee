"""A text as a sequence of sentences or lines, with what each says, to find what is said again.

Two pieces say the same if they differ only in case, spacing, punctuation, emphasis or the number in
front (`3. So it is 5` and `4. so it is 5!`). Cutting is coarse on purpose: a sentence ends at a
full stop before a space, at Chinese punctuation and at every line end, also inside math. Answers
are cut with more care in `sentences.py`.

Repeating oneself is one thing, going through cases another. A sentence with a number or a variable
that says what was said before of *other* numbers is a new case, and so is a sentence right behind
one (`If n = 4, n² + 1 = 17. That is prime.`): these are `fresh`, whatever words they share.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ...models.thinking import Span

_SENTENCE: Final = re.compile(
    r"[^\s.!?。！？…][^.!?。！？…\n]*+(?:[.!?]+(?=[^\s.!?\"'”’)\]*])[^.!?。！？…\n]*+)*+[.!?。！？…]*+"
)
_LINE: Final = re.compile(r"\S[^\n]*+")
_NUMBER_IN_FRONT: Final = re.compile(
    r"[\s>*#•(\[–-]*+(?:(?:step|case|attempt|try|check|round|第)\s*+)?\d{1,4}\s*+[步次轮遍)\].:：、]++"
    r"(?=\s|[\u3400-\u9fff*])",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(  # a command, a run of letters and digits, or a sign; the class is fast
    r"[^\s.,!?;:…。，！？；：、*`\"'“”‘’](?:(?<=\w)\w++|(?<=\\)[A-Za-z]++)?+"
)
_CASE: Final = re.compile(r"\d+|\b[a-z]\b")
_UNSPACED: Final = "\u3040"
"""From here on (kana, Han, Hangul …) a token is a run of words; two characters count as one."""
_MEANINGFUL: Final = 3
"""Words: `Yes.` and `x = 3.` come again."""


class Utterance(NamedTuple):
    """A piece of a text and how it relates to those before it."""

    start: int
    end: int
    says: str
    times: int
    """How often it was said before."""
    fresh: bool

    @property
    def span(self) -> Span:
        return (self.start, self.end)

    @property
    def is_meaningful(self) -> bool:
        """Whether it has enough words for its repetition to mean anything."""
        letters = [token for token in self.says.split() if token[0].isalpha() and len(token) > 1]
        words = sum(len(each) // 2 if each[0] >= _UNSPACED else 1 for each in letters)
        return words >= _MEANINGFUL


def sentences_of(text: str) -> list[Utterance]:
    """Sentences, in order."""
    return _related(text, (match.span() for match in _SENTENCE.finditer(text)))


def lines_of(text: str) -> list[Utterance]:
    """Lines that are not blank, in order."""
    return _related(text, (match.span() for match in _LINE.finditer(text)))


def _related(text: str, spans: Iterable[Span]) -> list[Utterance]:
    said: dict[str, int] = {}
    shapes: set[str] = set()
    found: list[Utterance] = []
    behind_new_case = False
    for start, end in spans:
        numbered = _NUMBER_IN_FRONT.match(text, start, end)
        piece = text[numbered.end() if numbered else start : end]
        says = " ".join(_TOKEN.findall(piece.lower()))
        shape = _CASE.sub("#", says)
        times = said.get(says, 0)
        new_case = not times and shape != says and shape in shapes
        fresh = new_case or (times > 0 and behind_new_case)
        found.append(Utterance(start, end, says, times, fresh))
        said[says] = times + 1
        shapes.add(shape)
        behind_new_case = new_case
    return found
