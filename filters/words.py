"""What counts as a word, for all filters: potstill's own definition, since R1 gives none.

* One Han character is one word, and so is one kana. (By a segmenter a Chinese word is about 1.6
  characters, so in mixed text Chinese weighs up to 1.6 times as much as it would there; in
  exchange the count needs no dictionary and never changes with one.)
* Elsewhere a word is a run of letters of one script, `don't` and `pass-book` being one. Runs of
  Hangul, Cyrillic, Arabic … are words too. Digits, punctuation and symbols are not words.

`language_words` leaves out names of things that every language writes alike: variables, units,
function names, identifiers, short capitals. Which language a word is of is told by its script
alone: this cannot tell English from Spanish, and does not try.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

_LATIN = "A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ"
_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3007"
_KANA = "\u3041-\u3096\u30a1-\u30fa\u31f0-\u31ff\uff66-\uff9d"
_SIGNS = (  # alphanumeric to Python, but signs to a reader: ² ½ ① ㎝ ℝ 𝑥 Ａ
    "\u00aa\u00b2\u00b3\u00b5\u00b9\u00ba\u00bc-\u00be\u2070-\u218f\u2460-\u24ff\u2776-\u2793"
    "\u3192-\u319f\u3220-\u33ff\uff10-\uff5a\U0001d400-\U0001d7ff"
)
_OTHER = rf"[^\W\d_{_LATIN}{_HAN}{_KANA}{_SIGNS}]+"
_LATIN_WORD = rf"[{_LATIN}]+(?:['’-][{_LATIN}]+)*"

_WORD = re.compile(rf"{_LATIN_WORD}|[{_HAN}]|[{_KANA}]|{_OTHER}")
_TOKEN = re.compile(rf"{_LATIN_WORD}|[{_HAN}]|[{_KANA}]|{_OTHER}|\d+")

_ATOMS = {
    # A Latin atom takes in what glues to it, so that 3rd, x1, a_1 and sin( can be told from words.
    "Latin": re.compile(rf"[{_LATIN}0-9_]++(?:['’-][{_LATIN}]++)*\(?"),
    "Han": re.compile(rf"[{_HAN}]"),
    "other": re.compile(rf"[{_KANA}]|{_OTHER}"),
}
_GREEK_LETTER = re.compile("[Ͱ-Ͽ]")
_NAME_OF_A_THING = re.compile(r"[0-9_]|^[a-z]+[A-Z]")
_UNITS = "km cm mm dm nm kg mg ml mL dl cl kW kWh min sec hr hrs mph ft lb lbs oz rad deg"
_FUNCTIONS = "sin cos tan cot sec csc log ln exp max min mod gcd lcm lim det"
_WRITTEN_ALIKE = frozenset([*_UNITS.split(), *_FUNCTIONS.split()])
_LONGEST_CAPITALS = 4
"""`ABCD`, `GCD` and `AIME` are names; five capitals are a shouted word."""


def count_words(text: str) -> int:
    """Number of words in `text`."""
    return len(_WORD.findall(text))


def tokens(text: str) -> list[tuple[str, int, int]]:
    """(text, start, end) of every word and every run of digits, in order, lower-cased."""
    return [(m.group().lower(), m.start(), m.end()) for m in _TOKEN.finditer(text)]


def count_language_words(text: str, script: str) -> int:
    """Number of words of a script (Latin, Han or other), names of things left out."""
    counts = Counter(_atoms(text, script))  # a text has far fewer different words than words
    return sum(count for atom, count in counts.items() if _is_language_word(atom))


def language_words(text: str, script: str) -> Iterator[tuple[str, int, int]]:
    """(word, start, end) of the words that `count_language_words` counts."""
    if not _atoms(text, script):  # finding nothing is cheaper than finding where
        return
    for match in _ATOMS[script].finditer(text):
        if _is_language_word(match.group()):
            yield match.group(), match.start(), match.end()


def _atoms(text: str, script: str) -> list[str]:
    return [] if text.isascii() and script != "Latin" else _ATOMS[script].findall(text)


def _is_language_word(atom: str) -> bool:
    if atom in _WRITTEN_ALIKE or atom.endswith("("):
        return False
    if len(atom) == 1:
        return not (atom.isascii() or _GREEK_LETTER.match(atom))
    if _NAME_OF_A_THING.search(atom):
        return False
    return len(atom) > _LONGEST_CAPITALS or not (atom.isascii() and atom.isupper())
