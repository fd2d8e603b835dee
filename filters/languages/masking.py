r"""Blank out what belongs to no human language: math, code, links, markup.

`mask` returns a text of the same length in which these are spaces (line ends stay), so spans found
in it are spans of the original. What is opened and never closed (a lone `$`, a fence without an
end) is left standing and judged as text, and so is math with an empty line inside, which TeX does
not allow: neither may hide half a text. `\begin{itemize}` holds prose, `\begin{align}` does not.
Names of things within the prose (`x1`, `sin`, `cm`) are not masked here: `words.py` does not count
them as words. Lines of code outside of fences are masked only where they cannot be a sentence.

The text is hostile: every pattern is anchored or possessive, so that the time is linear in the
length (a test holds it). A pattern is tried only if its sign, which is cheap to find, occurs.
"""

from __future__ import annotations

import re
from typing import Final

_FLAGS: Final = re.DOTALL | re.MULTILINE | re.ASCII
_NO_EMPTY_LINE: Final = r"(?!\n[ \t]*+\n)"
_TAG: Final = r"/?[A-Za-z]\w{0,20}(?:\s[^<>=\n]{1,40}=[^<>\n]{0,200})?\s?/?"
_PATTERNS: Final = [
    ("```", r"```.*?```"),  # a fenced block of code
    ("~~~", r"~~~.*?~~~"),
    ("`", r"`[^`\n]++`"),
    ("[asy]", r"\[asy\](?:[^\[]|\[(?!/?asy\]))*+\[/asy\]"),  # drawings in MATH
    ("$$", rf"\$\$(?:{_NO_EMPTY_LINE}[^$])++\$\$"),
    ("\\[", rf"\\\[(?:{_NO_EMPTY_LINE}[^\\]|\\(?![\[\]]))*+\\\]"),
    ("\\(", rf"\\\((?:{_NO_EMPTY_LINE}[^\\]|\\(?![()]))*+\\\)"),
    ("$", r"\$(?![\s$])[^$\n]++(?<![\s\\])\$(?!\d)"),  # pandoc's rule: "$5 and $6" is money
    ("://", r"\b[A-Za-z]{2,9}://[!-~]++"),
    ("www.", r"www\.[!-~]++"),
    ("@", r"(?<![!-~])[!-~]{1,64}@[\w-]{1,64}\.\w++"),
    ("<", rf"<(?:{_TAG}|[|｜][^<>\n]{{0,40}}[|｜])>"),
]
_MASKS: Final = [(sign, re.compile(pattern, _FLAGS)) for sign, pattern in _PATTERNS]
_DOTTED_SIGN: Final = re.compile(r"\.[A-Za-z_]")
_DOTTED: Final = re.compile(  # np.array, main.py
    r"(?<![\w.])[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)++(?![.]?\w)", _FLAGS
)
_PATH_SIGN: Final = re.compile(r"/[\w.-]{1,80}/", _FLAGS)
_PATH: Final = re.compile(r"(?<![\w/])(?:~|\.{1,2})?/[\w.-]++(?:/[\w.-]*+)++", _FLAGS)

_NO_TWO_WORDS: Final = r"(?![^\n]*?[A-Za-z]{2}[ ][A-Za-z]{2})"
_NO_THREE_WORDS: Final = r"(?![^\n]*?[A-Za-z]{2}[ ][A-Za-z]{2,20}[ ][A-Za-z])"
_CODE_LINE: Final = re.compile(  # begins with the line end before it: fast to find
    r"\n[ \t]*+(?:"
    rf"[A-Za-z_][\w.\[\]]*+[ ]?[-+*/%]?=(?!=){_NO_TWO_WORDS}[ -~]*+"  # no "total = the sum"
    r"|(?:def|class)[ ]\w++[(:][ -~]*+|else:|for[ ]\w++(?:,[ ]?\w++)*+[ ]in[ ][ -~]*+(?<=:)"
    rf"|(?=if[ ]|elif[ ]|while[ ]){_NO_THREE_WORDS}[ -~]*+(?<=:)"
    rf"|(?=return[ ]){_NO_THREE_WORDS}[ -~]*+"
    r"|(?:from[ ][\w.]++[ ])?import[ ][\w.*]++(?:[ ]as[ ]\w++)?(?:,[ ]?[\w.]++)*+"
    r"|print\([ -~]*+(?<=\))"
    r")$",
    _FLAGS,
)
_COMMAND: Final = re.compile(  # what is left of LaTeX; with names or text inside with its braces
    r"\\(?:(?:begin|end|text|mathrm|mathbf|operatorname|boxed|fbox|[dt]?frac|sqrt)"
    r"(?:\{[^{}\n]{0,200}\})+|[A-Za-z]++)"
)
_ENVIRONMENT: Final = re.compile(r"\\(begin|end)\{([A-Za-z]{1,20}\*?)\}")
_ENVIRONMENTS: Final = (
    "align aligned alignat alignedat array bmatrix Bmatrix cases dcases displaymath eqnarray"
    " equation flalign gather gathered math matrix multline pmatrix smallmatrix split tabular"
    " vmatrix Vmatrix asy lstlisting minted tikzpicture verbatim"
)
_MATH_ENVIRONMENTS: Final = frozenset(_ENVIRONMENTS.split())


def mask(text: str) -> str:
    """`text` with math, code, links and markup blanked, and its length kept."""
    for sign, pattern in _MASKS:
        if sign in text:
            text = pattern.sub(_blank, text)
    if "\\" in text:
        text = _COMMAND.sub(_blank, _without_environments(text))
    if _DOTTED_SIGN.search(text):
        text = _DOTTED.sub(_blank, text)
    if _PATH_SIGN.search(text):
        text = _PATH.sub(_blank, text)
    return _CODE_LINE.sub(_blank, f"\n{text}")[1:]


def blanked(text: str, spans: list[tuple[int, int]]) -> str:
    """`text` with spans, which are in order and do not overlap, blanked."""
    pieces, at = [], 0
    for start, end in spans:
        pieces += [text[at:start], _white(text[start:end])]
        at = end
    return "".join([*pieces, text[at:]])


def _white(text: str) -> str:
    """As much white space as `text` is long, with its line ends."""
    if "\n" not in text:
        return " " * len(text)
    return "\n".join(" " * len(line) for line in text.split("\n"))


def _blank(match: re.Match[str]) -> str:
    return _white(match.group())


def _without_environments(text: str) -> str:
    r"""Blank `\begin{align}…\end{align}`; each `\end` closes the last `\begin` of its name."""
    if "\\begin{" not in text:
        return text
    open_at: dict[str, list[int]] = {}
    spans: list[tuple[int, int]] = []
    for tag in _ENVIRONMENT.finditer(text):
        name = tag[2].rstrip("*")
        if name not in _MATH_ENVIRONMENTS:
            continue
        if tag[1] == "begin":
            open_at.setdefault(name, []).append(tag.start())
        elif open_at.get(name):
            start = open_at[name].pop()
            while spans and spans[-1][0] >= start:  # what it contains is blanked with it
                spans.pop()
            if not spans or spans[-1][1] <= start:
                spans.append((start, tag.end()))
    return blanked(text, spans)
