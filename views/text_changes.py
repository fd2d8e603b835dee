"""What changed between two texts, in words: kept, removed and added pieces, long sameness cut.

Words are runs of letters or digits, single Chinese, Japanese and Korean characters, and single
signs. What both texts begin and end with is set aside first, and texts whose difference is very
long are one piece removed and one added: the comparison takes the square of their lengths.
"""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Sequence
from typing import NamedTuple

MAX_WORDS = 2_000
"""Words of the differing middle that are compared one by one."""
CONTEXT = 40
"""Characters of what is the same that are shown on each side of a change."""

_WORD = re.compile(r"[^\W\d_\u2e80-\ud7af\uf900-\ufaff]+|\d+|\s+|.", re.DOTALL)


class Piece(NamedTuple):
    """A part of the texts."""

    what: str
    """`same`, `removed`, `added`, or `left_out`: so many characters that are the same."""
    text: str


def text_changes(here: str, there: str) -> list[Piece]:
    """The pieces that lead from one text to the other, in order."""
    ours, theirs = _WORD.findall(here), _WORD.findall(there)
    start = _num_alike(ours, theirs)
    end = _num_alike(ours[start:][::-1], theirs[start:][::-1])
    ours_middle, theirs_middle = ours[start : len(ours) - end], theirs[start : len(theirs) - end]
    pieces = [Piece("same", "".join(ours[:start]))]
    pieces += _middle(ours_middle, theirs_middle)
    pieces.append(Piece("same", "".join(ours[len(ours) - end :])))
    pieces = [piece for piece in pieces if piece.text]
    last = len(pieces) - 1
    return [
        shown for n, piece in enumerate(pieces) for shown in _shortened(piece, n == 0, n == last)
    ]


def _num_alike(ours: Sequence[str], theirs: Sequence[str]) -> int:
    """How many words from the start on are the same."""
    alike = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(ours, theirs, strict=False))
    return sum(1 for _ in alike)


def _middle(ours: list[str], theirs: list[str]) -> list[Piece]:
    if max(len(ours), len(theirs)) > MAX_WORDS:
        return [Piece("removed", "".join(ours)), Piece("added", "".join(theirs))]
    pieces = []
    matcher = difflib.SequenceMatcher(None, ours, theirs, autojunk=False)
    for what, a, b, c, d in matcher.get_opcodes():
        if what == "equal":
            pieces.append(Piece("same", "".join(ours[a:b])))
        else:
            pieces += [Piece("removed", "".join(ours[a:b])), Piece("added", "".join(theirs[c:d]))]
    return pieces


def _shortened(piece: Piece, first: bool, last: bool) -> list[Piece]:
    """The text beside changes only, where it is the same and long."""
    if piece.what != "same" or len(piece.text) <= 3 * CONTEXT:
        return [piece]
    before = "" if first else piece.text[:CONTEXT]
    after = "" if last else piece.text[-CONTEXT:]
    left_out = len(piece.text) - len(before) - len(after)
    parts = [Piece("same", before), Piece("left_out", str(left_out)), Piece("same", after)]
    return [part for part in parts if part.text]
