"""One form for texts that a reader takes for the same, with the way back to the original.

Folded are upper case (if asked), full-width and other compatibility forms, composed accents,
typographic quotation marks, hyphens and spaces. Not folded is what says something else:
superscripts and subscripts (x² is not x2), fractions, circled numbers, the en dash of 3–5. A piece
of the folded text is given back as a span of the original, since folding may change the length.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from ...models.thinking import Span

_SIGNS: Final = {
    **dict.fromkeys("‘’‚‛ʼ′´", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("‐‑−﹣", "-"),
    **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff\u00ad", ""),  # invisible
}
_SAYS_MORE: Final = ("<super>", "<sub>", "<fraction>", "<circle>")
_CLUSTER: Final = re.compile(
    r"[\u1100-\u11ff]{1,8}|.[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u3099\u309a\u20d0-\u20ff]{0,8}",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; `begins[i]` and `ends[i]` are where its character i comes from."""

    text: str
    begins: list[int] | None
    """None: every character is where it was."""
    ends: list[int] | None

    def span(self, start: int, end: int) -> Span:
        """A non-empty span of the folded text as one of the original."""
        if self.begins is None or self.ends is None:
            return start, end
        return self.begins[start], self.ends[end - 1]


def fold(text: str, *, case: bool, forms: bool) -> Folded:
    """Fold `text`.

    Args:
        case: upper and lower case are the same.
        forms: different written forms of the same sign are the same.
    """
    if text.isascii():
        return Folded(text.lower() if case else text, None, None)
    if not (case or forms):
        return Folded(text, None, None)
    pieces: list[str] = []
    begins: list[int] = []
    ends: list[int] = []
    for cluster in _CLUSTER.finditer(text):
        piece = _fold_cluster(cluster.group(), case, forms)
        pieces.append(piece)
        begins += [cluster.start()] * len(piece)
        ends += [cluster.end()] * len(piece)
    return Folded("".join(pieces), begins, ends)


@functools.lru_cache(maxsize=20_000)
def _fold_cluster(cluster: str, case: bool, forms: bool) -> str:
    if forms:
        more = any(unicodedata.decomposition(sign).startswith(_SAYS_MORE) for sign in cluster)
        cluster = "".join(_SIGNS.get(sign, sign) for sign in cluster)
        cluster = unicodedata.normalize("NFC" if more else "NFKC", cluster)
    return cluster.casefold() if case else cluster
