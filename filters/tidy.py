"""The text of an answer without its wrapping, so that answers can be compared and parsed.

Math delimiters, bold marks, boxes of text, thin spaces, full-width forms and a final full stop
say nothing about an answer; everything else stays. Two answers with equal tidied texts are equal.
"""

from __future__ import annotations

import re

_CHARACTERS = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}  # full-width forms
_CHARACTERS |= {0xFFE5: ord("¥"), 0x3000: ord(" "), ord("−"): ord("-"), ord("﹣"): ord("-")}
# The en dash stays: 3–5 is a range, not a difference.

_WRAPPERS = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"\$\$((?:\\\$|[^$])+)\$\$",
        r"\$((?:\\\$|[^$])+)\$",
        r"\\\(((?:(?!\\[()]).)+)\\\)",
        r"\\\[((?:(?!\\[\[\]]).)+)\\\]",
        r"\*\*([^*]+)\*\*",
        r"\\(?:text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}",
    )
]
_STOPS = " \t\n.。,，;；"
_THOUSANDS = re.compile(r"(?<=\d)(?:,?\\!|\\,|\{,\}|[\u00a0\u2009\u202f])(?=\d{3}(?!\d))")
_SPACES = re.compile(r"(?:(?<!\\)\\[,;:! ]|\\q?quad(?![A-Za-z])|~|\s)+")
_SPELLINGS = [("\\dfrac", "\\frac"), ("\\tfrac", "\\frac"), ("\\$", "$"), ("\\%", "%")]
_SIZES = re.compile(r"\\(?:left|right)(?=[()\[\]|])|\\(?:displaystyle|limits)(?![A-Za-z])")


def tidy(text: str) -> str:
    """`text` unwrapped, its spaces and spellings made uniform."""
    text = _THOUSANDS.sub(",", text.translate(_CHARACTERS))
    text = _SPACES.sub(" ", text)
    previous = None
    while text != previous:
        previous = text
        text = _without_stop(text.strip())
        for wrapper in _WRAPPERS:
            if whole := wrapper.fullmatch(text):
                text = whole.group(1)
    text = _SIZES.sub("", text)
    for old, new in _SPELLINGS:
        text = text.replace(old, new)
    return text


def _without_stop(text: str) -> str:
    stripped = text.rstrip(_STOPS)
    return text if stripped.endswith("\\right") else stripped  # the dot of `\right.` is a bracket
