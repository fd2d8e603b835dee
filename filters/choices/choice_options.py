r"""The options that a prompt lists: an answer may give the text of one instead of its letter.

Options are marked `A.`, `A)`, `(A)`, `[A]`, `A:` or `A、`, on lines of their own or one after the
other, in order from A; where there are several such lists the last one counts. Texts are equal if
they are so without markup, spaces, case and a final full stop. Equal *values* are not looked for:
whether 1/2 is the option 0.5 is for `math`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..answers.answer_text import unwrapped
from ..matching.folding import fold
from .choice_letters import plain

_MARKER: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:[(\[]\s?([A-Ja-j])\s?[)\]]|([A-J])\s?[.):、]|([a-j])\))\s*+"
)
_COMMAND: Final = re.compile(
    r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mbox)\s{0,3}\{([^{}]*)\}"
    r"|\\(?:text|textbf|mathrm|mathbf)\s{0,3}\{\Z"
    r"|\\(?:left|right|displaystyle|q?quad)(?![A-Za-z])|\\[,;:! ]"
)
_DROPPED: Final = re.compile(r"[\s$*`~]|\\[()\[\]]")


def options_of(prompt: str) -> dict[str, str]:
    """The text of each option by its letter; empty if the prompt lists fewer than two."""
    chains: list[list[re.Match[str]]] = []
    for marker in _MARKER.finditer(plain(prompt)):
        letter = _letter(marker)
        if letter == "A":
            chains.append([marker])
        elif chains and ord(letter) == ord(_letter(chains[-1][-1])) + 1:
            chains[-1].append(marker)
    last = next((chain for chain in reversed(chains) if len(chain) > 1), [])
    ends = [*(marker.start() for marker in last[1:]), len(prompt)]
    return {
        _letter(marker): _option(prompt[marker.end() : end], is_last=end == len(prompt))
        for marker, end in zip(last, ends, strict=False)
    }


def _letter(marker: re.Match[str]) -> str:
    return next(group for group in marker.groups() if group).upper()


def _option(text: str, *, is_last: bool) -> str:
    """The last one ends with its line: instructions may follow."""
    return (text.split("\n", 1)[0] if is_last else text).strip()


def letter_of(text: str, options: Mapping[str, str]) -> str | None:
    """The letter of the only option with this text."""
    wanted = _form(text)
    found = [letter for letter, option in options.items() if wanted and _form(option) == wanted]
    return found[0] if len(found) == 1 else None


def _form(text: str) -> str:
    text = unwrapped(text.strip().rstrip(".。,;；")).replace("\\dfrac", "\\frac")
    text = _COMMAND.sub(lambda command: command.group(1) or "", text.replace("\\tfrac", "\\frac"))
    text = fold(_DROPPED.sub("", text), case=True, forms=True).text
    return text.strip(".。,;；}")
