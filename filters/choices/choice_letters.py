r"""Read the letters of options in a text: `A`, `(A)`, `A.`, `**A**`, `\text{A}`, `A, C`, `A or B`.

`Letters` reads at a given place and says which letters are named there and whether they are joined
by "or", which decides nothing. Where such places are is the business of others (`choice_claims.py`,
`choice_lines.py`). It works on a copy of the text of the same length in which markup is blank and
full-width forms are ASCII, so all places are places of the original.

`A` (and `I`) before a lower-case word is the article (or the pronoun), unless that word goes on
about an option: "A because …", "A is …".
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Final

_SIGNS: Final = {
    **{"　": " ", "。": ".", "〔": "(", "〕": ")"},
    # traditional forms of what the phrases are made of
    **dict(zip("選擇項確錯誤說題為應該對個則", "选择项确错误说题为应该对个则", strict=True)),
}
_MARKUP: Final = re.compile(
    r"\\(?:text|textbf|textit|textrm|textsf|mathrm|mathbf|mathit|mathsf|boldsymbol|underline|mbox)"
    r"\s{0,3}\{|\\[,;:! ()\[\]{}\\]|\\q?quad(?![A-Za-z])|[*`$~{}]"
    r"|(?<![\w}\\])_{1,3}|_{1,3}(?![\w{\\])|[\"“”‘’「」『』《》【】]|(?<!\w)'|'(?!\w)|</?(?:b|i|u|p|em|strong|span|code|br)\s?/?>"
)
_WORD: Final = re.compile(r"[ \t]{1,3}[a-z]")
_GOES_ON: Final = re.compile(
    r"[ \t]{1,3}(?:"
    r"is|are|was|were|would|will|must|should|can|could|has|have|had|does|do"
    r"|seems|appears|because|since|as|for|which|that|where|when|while|if|unless"
    r"|and|or|but|not|with|without|due|given|based|so|in|on|at|from|by|to|of"
    r"|hence|thus|therefore|then|gives|giving|using|here|also|only|alone|above"
    r"|below|again|instead|rather|per|via|it|we|all|being|according|though"
    r"|although|after|before|option|choice|correct|remains|matches|says|states"
    r")\b"
)
_CLAUSE: Final = re.compile(
    r"\)?\s*+(?:(?:is|are|was|were|isn|aren|does|doesn|do|don|can|cannot|could|would|will|has|have"
    r"|had|being|says?|states?|refers?|fails?|gives?|seems?|remains?|only|describes?|means?|makes?"
    r"|must|should|may|might|also)\b|(?:选项|项)(?!\s*+[.,;!)]|\s*+\Z)|\s?(?:错|不|是|正确|对|虽|的|中|说|也|则|都|均|描述|符合|与))"
)


@dataclass(frozen=True, slots=True)
class Named:
    """Letters named at one place."""

    letters: frozenset[str]
    either: bool
    """Joined by "or": none of them is chosen."""
    start: int
    end: int
    enclosed: bool
    """The first stands in brackets."""


@dataclass(frozen=True, slots=True)
class _Item:
    """Letters of a list that stand together."""

    letters: frozenset[str]
    end: int
    enclosed: bool = False
    either: bool = False
    """It is joined by "or", inside or to what stands before it."""
    comma: bool = False
    """It is joined by a comma to what stands before it."""


def _without_subject(items: list[_Item]) -> list[_Item]:
    """A list less the subject of the clause that follows: of "B, C and D are wrong" only B."""
    begins = max((index for index, item in enumerate(items) if item.comma), default=0)
    return items[: begins or max(1, len(items) - 1)]


class Letters:
    """Reads letters of one alphabet in one text."""

    def __init__(self, text: str, alphabet: str) -> None:
        self.text = text
        self.plain = plain(text)
        self.alphabet = alphabet
        self._grammar = _grammar(alphabet)

    def read(self, at: int, *, before_verb: bool = True) -> Named | None:
        """What is named at `at`, or None.

        Args:
            before_verb: "A and C" may be the subject of what follows; else, in "A, C is too
                small", the last one begins a clause of its own and is not named here.
        """
        first = self._one(at)
        if first is None:
            return None
        items = [first]
        while separator := self._grammar.separator.match(self.plain, items[-1].end):
            more = self._one(separator.end())
            labelled = separator["space"] is not None and items[-1].enclosed  # "(D) A and B"
            if more is None or labelled:
                break
            comma = separator["comma"] is not None
            items.append(
                replace(more, either=more.either or bool(separator["either"]), comma=comma)
            )
        if not before_verb and _CLAUSE.match(self.plain, items[-1].end):
            items = _without_subject(items)
        letters = frozenset[str]().union(*(item.letters for item in items))
        either = len(letters) > 1 and any(item.either for item in items)
        return Named(letters, either, at, items[-1].end, first.enclosed)

    def _one(self, at: int) -> _Item | None:
        """Letters without a separator."""
        found = self._grammar.atom.match(self.plain, at)
        if found is None:
            return None
        if (inside := found["enclosed"]) is not None:
            names = re.findall(rf"[{self.alphabet}](?![a-z])", inside) or [inside.strip().upper()]
            either = re.search(r"or|/|或", inside) is not None
            return _Item(frozenset(names), found.end(), enclosed=True, either=either)
        run = found["run"] or found["lower"].upper()
        ascending = list(run) == sorted({*run})
        if not ascending or (run in "AI" and found["run"] and self._is_word(found.end())):
            return None
        return _Item(frozenset(run), found.end())

    def _is_word(self, end: int) -> bool:
        """Whether the A or I that ends here is an English word; set off by markup it is not."""
        if self.text[end : end + 1] != self.plain[end : end + 1]:
            return False
        return bool(_WORD.match(self.plain, end)) and not _GOES_ON.match(self.plain, end)


@dataclass(frozen=True, slots=True)
class _Grammar:
    atom: re.Pattern[str]
    separator: re.Pattern[str]


@functools.lru_cache(maxsize=100)
def _grammar(alphabet: str) -> _Grammar:
    upper, lower = f"[{alphabet}]", f"[{alphabet.lower()}]"
    inner_separator = r"[\s,、;&/和及与或]{0,3}(?:and|or)?\s{0,3}"
    atom = re.compile(
        rf"""[(\[<]\s{{0,20}}(?P<enclosed>{upper}(?:{inner_separator}{upper}){{0,9}}|{lower})
                 \s{{0,20}}\.?\s{{0,20}}[)\]>]
           | (?P<run>{upper}{{1,10}})(?![A-Za-z0-9_+\#^'’]|\s?=(?!>)|-[A-Za-z0-9]|\.[A-Za-z]\.)
           | (?P<lower>{lower})(?!\.[a-z])
                 (?=\s*+(?:[.,;:)\]!<]|\n|\Z|[\u3400-\u9fff])|\s{{1,3}}(?:because|since|as|and|or)\b)
        """,
        re.VERBOSE,
    )
    separator = re.compile(
        rf"""[^\S\n]*+
            (?: (?P<either> ,?[ ]?or\b(?:[ ](?:maybe|perhaps|possibly|even))? | 或者? | 还是 | / )
              | ,?[ ]?(?:and\b|&|和|以?及|与) | (?P<comma>[,、;])
              | (?P<space>(?<=[ ])(?={upper}(?:[\s.,;)]|\Z))) )
            [^\S\n]*+ (?:(?:option|choice|answer)s?\b[^\S\n]*+ | 选项\s?)?""",
        re.VERBOSE,
    )
    return _Grammar(atom, separator)


def plain(text: str) -> str:
    """`text` in ASCII forms and without markup, of the same length."""
    text = "".join(map(_sign, text)) if not text.isascii() else text
    return _MARKUP.sub(lambda mark: " " * len(mark.group()), text)


@functools.lru_cache(maxsize=5000)
def _sign(sign: str) -> str:
    if sign.isascii() or sign in _SIGNS:
        return _SIGNS.get(sign, sign)
    folded = unicodedata.normalize("NFKC", sign)
    return folded if len(folded) == 1 else sign
