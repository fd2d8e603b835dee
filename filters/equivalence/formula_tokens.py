r"""The words that formulas are made of: numbers, variables, LaTeX commands and signs.

Plain words that mean a command (`sqrt`, `pi`, `sin`) become it; up to three other letters are
variables side by side, and a longer word is no mathematics.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .formula import Unclear

CONSTANTS = frozenset({"pi", "e", "i", "infty"})
_FUNCTION_NAMES = """
    sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth ln log lg exp
"""
_GREEK_NAMES = """
    alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi
    rho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega
    ell hbar
"""
FUNCTIONS = frozenset(_FUNCTION_NAMES.split())
GREEK = frozenset(_GREEK_NAMES.split())
_WORDS = {name: name for name in FUNCTIONS}
_WORDS |= {"sqrt": "sqrt", "pi": "pi", "infinity": "infty", "inf": "infty", "oo": "infty"}
_WORDS |= {"asin": "arcsin", "acos": "arccos", "atan": "arctan", "abs": "abs", "theta": "theta"}
_WORDS |= {"alpha": "alpha", "beta": "beta", "cdot": "cdot", "times": "times"}
_TOKEN = re.compile(
    r"(?P<number>\d+(?:\.\d+)?|\.\d+)|\\(?P<command>[A-Za-z]+)|(?P<word>[A-Za-z]+)"
    r"|(?P<sign>\*\*|\\[{}|]|[-+*/^_()\[\]{}|!'%])|(?P<space>\s+)|(?P<other>.)",
    re.DOTALL,
)
_BARE_DIGITS = re.compile(r"\\(frac|binom)\s?(\d)\s?(\d|(?=[\\{]))")
"""`\\frac12` is a half: of bare digits LaTeX takes one each."""
_CHOOSE = re.compile(r"\{?\s?(\w+)\s?\\choose\s?(\w+)\s?\}?")
_SILENT = frozenset(["displaystyle", "left", "right", "limits"])


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    spaced: bool
    """Preceded by a space."""


def tokens(text: str) -> list[Token]:
    """The words of a tidied text.

    Raises:
        Unclear: it holds a sign or a word that no formula has.
    """
    found: list[Token] = []
    spaced = False
    text = _CHOOSE.sub(r"\\binom{\1}{\2}", _BARE_DIGITS.sub(_braced, text))
    for match in _TOKEN.finditer(text):
        kind, content = str(match.lastgroup), match[str(match.lastgroup)]
        if kind == "other":
            raise Unclear(f"{content!r}")
        if kind == "space" or content in _SILENT:
            spaced = True
            continue
        found += _word(content, spaced) if kind == "word" else [Token(kind, content, spaced)]
        spaced = False
    return found


def _braced(found: re.Match[str]) -> str:
    below = f"{{{found[3]}}}" if found[3] else ""
    return f"\\{found[1]}{{{found[2]}}}{below}"


def _word(word: str, spaced: bool) -> list[Token]:
    """A known word, or up to three letters that are variables beside one another."""
    if word in _WORDS:
        return [Token("command", _WORDS[word], spaced)]
    if len(word) > 3:
        raise Unclear(f"{word!r} is a word")
    return [Token("letter", letter, spaced and not at) for at, letter in enumerate(word)]
