"""What counts as a word, for all filters: potstill's own definition, since R1 gives none.

* One Han character is one word, and so is one kana. (By a segmenter a Chinese word is about 1.6
  characters, so in mixed text Chinese weighs up to 1.6 times as much as it would there; in
  exchange the count needs no dictionary and never changes with one.)
* Elsewhere a word is a run of letters of one script with their marks, `don't` and `pass-book`
  being one. Digits, punctuation and symbols are not words.

`is_language_word` leaves out names of things that every language writes alike: variables, units,
function names, identifiers, short capitals. Which language a word is of is not told here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from .scripts import HAN, KANA, LATIN, SCRIPTS, SIGNS, WITHOUT_SPACES

_NAMED: Final = "".join(SCRIPTS.values())
_OTHER: Final = (  # marks of the scripts between Bengali and Khmer are no letters to Python
    rf"(?:[^\W\d_{_NAMED}{SIGNS}]|(?!\d)[\u0980-\u0e00\u0e80-\u0ec6\u0f40-\u0fbc\u1000-\u109d"
    r"\u1780-\u17d3])++"
)
_LATIN_WORD: Final = rf"[{LATIN}]++(?:['’-][{LATIN}]++)*+"
_ANY: Final = "|".join(
    [_LATIN_WORD]
    + [
        rf"[{letters}]++"
        for name, letters in SCRIPTS.items()
        if name != "Latin" and name not in WITHOUT_SPACES
    ]
    + [_OTHER]
)
_WORD: Final = re.compile(rf"{_LATIN_WORD}|[{HAN}]|[{KANA}]|{_ANY}")
_TOKEN: Final = re.compile(
    # The same as _WORD|\d+, with all scripts but Latin passed over at once in ASCII text.
    rf"{_LATIN_WORD}|[0-9]\d*+|(?=[^\x00-\x7f])(?:{_WORD.pattern}|\d+)"
)

_LATIN_ATOM: Final = rf"[{LATIN}0-9_]++(?:['’-][{LATIN}]++)*+\(?"
"""Takes in what glues to a word, so that 3rd, x1, a_1 and sin( can be told from words."""
ATOMS: Final = {
    name: re.compile(_LATIN_ATOM if name == "Latin" else rf"[{letters}]++")
    for name, letters in SCRIPTS.items()
}
"""For each script what may be a word of it; `is_language_word` has the last say. In scripts without
spaces it is a run of words."""


_FIRST_AND_MORE: Final = [
    rf"(?P<Latin>(?<=[{LATIN}0-9_])[{LATIN}0-9_]*+(?:['’-][{LATIN}]++)*+\(?)",
    *(
        rf"(?P<{name}>(?<=[{letters}])[{letters}]*+)"
        for name, letters in SCRIPTS.items()
        if name != "Latin"
    ),
    rf"(?P<other>(?<=[^\W\d_{_NAMED}{SIGNS}])(?:{_OTHER})?)",
]
RUN: Final = re.compile(rf"\w(?:{'|'.join(_FIRST_AND_MORE)})")
"""The same for all scripts at once; `lastgroup` of a match is the script. A pattern that begins
with a class is found many times faster than one that begins with alternatives."""

_NAME_OF_A_THING: Final = re.compile(r"[0-9_(]|^[a-z]+[A-Z]")
_NO_VOWEL: Final = re.compile(r"[b-df-hj-np-tv-xz]{2,4}")
_UNITS: Final = (
    "km cm mm dm nm kg mg ml mL dl cl kW kWh min sec hr hrs mph kmh ft lb lbs oz rad deg"
    " kB MB GB Hz kHz MHz Pa kPa mol usd eur rmb"
)
_FUNCTIONS: Final = (
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log lg ln exp max min mod gcd lcm"
    " lim det sqrt frac sgn abs argmax argmin inf sup ker dim const"
)
_LETTERS: Final = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau phi"
    " psi omega infty"
)
_ROMAN: Final = "ii iii iv vi vii viii ix xi xii"
_SOUNDS: Final = "hm hmm Hm Hmm ok Ok ah Ah oh Oh"
_WRITTEN_ALIKE: Final = frozenset(f"{_UNITS} {_FUNCTIONS} {_LETTERS} {_ROMAN} {_SOUNDS}".split())
_MARKS: Final = re.compile("[\u0300-\u036f]+")
_LONGEST_CAPITALS: Final = 4
"""`ABCD`, `GCD` and `AIME` are names; five capitals are a shouted word."""


def count_words(text: str) -> int:
    """Number of words in `text`."""
    return len(_WORD.findall(text))


def tokens(text: str) -> list[tuple[str, int, int]]:
    """(text, start, end) of every word and every run of digits, in order, lower-cased."""
    return [(word, *span) for word, span in zip(token_texts(text), token_spans(text), strict=True)]


def token_texts(text: str) -> list[str]:
    """Only the texts of `tokens`."""
    return list(map(str.lower, _TOKEN.findall(text)))


def token_spans(text: str) -> list[tuple[int, int]]:
    """Only the places of `tokens`."""
    return list(map(re.Match.span, _TOKEN.finditer(text)))


@lru_cache(maxsize=1 << 16)
def is_language_word(atom: str) -> bool:
    """Whether an atom is a word of some language, and not the name of a thing."""
    if not atom.isascii():
        atom = _MARKS.sub("", atom)  # x̄ is a variable
        if len(atom) < 3 and (not atom or "\u0370" <= atom[0] <= "\u03ff"):
            return False  # αβ is a product
    if len(atom) == 1:
        return not atom.isascii()
    if atom in _WRITTEN_ALIKE or _NAME_OF_A_THING.search(atom) or _NO_VOWEL.fullmatch(atom):
        return False  # among them dx, bc, pqr
    return len(atom) > _LONGEST_CAPITALS or not (atom.isascii() and atom.isupper())
