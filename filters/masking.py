"""Blank out what belongs to no human language: math, code, links, markup.

`mask` returns a text of the same length in which these are spaces, so spans found in it are
spans of the original. What is opened and never closed (a lone `$`, a fence without an end) is left
standing and judged as text. Names of things within the prose (`x1`, `sin`, `cm`) are not masked
here: `words.py` does not count them as words.

The text is hostile: every pattern is anchored or possessive, so that the time is linear in the
length (a test holds it), and each is tried only if its first sign occurs at all.
"""

from __future__ import annotations

import re

_PATTERNS = [
    ("```", r"```.*?```"),  # a fenced block of code
    ("`", r"`[^`\n]++`"),
    ("$$", r"\$\$[^$]++\$\$"),
    ("\\[", r"\\\[(?:[^\\]|\\(?![\[\]]))*+\\\]"),
    ("\\(", r"\\\((?:[^\\]|\\(?![()]))*+\\\)"),
    ("$", r"\$(?![\s$])[^$\n]++(?<![\s\\])\$(?!\d)"),  # pandoc's rule: "$5 and $6" is money
    ("\\begin{", r"\\begin\{([a-z]+\*?)\}(?:[^\\]|\\(?!begin|end))*+\\end\{\1\}"),
    (
        "\\",  # what is left of LaTeX: commands, those with names or text inside with their braces
        r"\\(?:(?:begin|end|text|mathrm|mathbf|operatorname|boxed|fbox|[dt]?frac|sqrt)"
        r"(?:\{[^{}\n]{0,200}\})+|[A-Za-z]++)",
    ),
    ("://", r"https?://[!-~]++"),
    ("www.", r"www\.[!-~]++"),
    ("@", r"(?<![!-~])[!-~]{1,64}@[\w-]{1,64}\.\w++"),
    ("<", r"</?[A-Za-z][^<>\n]{0,80}>"),
]
_MASKS = [(sign, re.compile(pattern, re.DOTALL)) for sign, pattern in _PATTERNS]


def mask(text: str) -> str:
    """`text` with math, code, links and markup blanked, and its length kept."""
    for sign, pattern in _MASKS:
        if sign in text:
            text = pattern.sub(_blank, text)
    return text


def _blank(match: re.Match[str]) -> str:
    return " " * (match.end() - match.start())
