"""Words too frequent to be names or terms: `Wait`, `Step` and `Therefore` begin sentences.

Needed where a romanised name is told from an English word in a Chinese text, and a term that a
completion takes from its problem from a word that only happens to stand in it.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from .function_words import FUNCTION_WORDS, SHARED_WORDS, owners

_ALSO_FREQUENT: Final = (
    # in sentences of solutions, capitalised at the beginning; and Chinese characters
    "if a as go he do am us up no my me check final note problem case also thus like total sum"
    " finally similarly substituting solving here good great sure well verify verification"
    " conclusion result proof proved alternatively however moreover furthermore consequently"
    " clearly obviously recall define set add simplify expand factor multiply yes ah oh hey please"
    " see show try start works done correct true false explanation example method approach part"
    " based combining simplifying rearranging applying observe notice remember important key"
    " summary overall plan goal understanding analysis any such may might which whose whom over"
    " under within without even still until during against per via not than it its this that"
    " hmm okay ok solve compute thinking thought response data formula equation function proceed"
    " 的 了 是 在 有 和 就 不 也 都 而 与 或 则 又 再 这 那 得 着 过 把 被 让 给 从 对 向 为"
    " 因 所 以 但 如 若 且"
)


@cache
def _frequent() -> frozenset[str]:
    english = FUNCTION_WORDS["Latin"]["en"].split()
    return frozenset([*english, *SHARED_WORDS["en"].split(), *_ALSO_FREQUENT.split()])


def is_frequent(word: str) -> bool:
    """Whether a word is too frequent in English (or Chinese) to be a name or a term."""
    return word.casefold() in _frequent() or word in owners("Latin")
