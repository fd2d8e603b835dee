"""Where to look for words of other scripts: patterns for single letters, made once for a target.

They say where a word may be, not that there is one: that is for `words.py` to say.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from .scripts import HAN, SCRIPTS, SCRIPTS_OF_LANGUAGE, SIGNS

_NEVER: Final = re.compile(r"(?!)")


@cache
def other_letters(target: str) -> re.Pattern[str]:
    """A letter of another script that may belong to a word: no `x` and no `α`.

    The class that it begins with holds no letter of the target, so that own text is passed fast.
    """
    scripts = SCRIPTS_OF_LANGUAGE[target]
    own, greek = "".join(SCRIPTS[script] for script in scripts), SCRIPTS["Greek"]
    alone = _ranges(rf"[^\W\d_{own}A-Za-z{greek}{SIGNS}]")
    if "Han" not in scripts:
        alone += HAN
    begins, ends = alone + greek, [f"(?<=[{alone}])", rf"(?<=[{greek}])[{greek}]{{2}}"]
    if "Latin" not in scripts:
        begins += "A-Za-z"
        ends.append("(?<=[A-Za-z])[A-Za-z]")
    return re.compile(rf"[{begins}](?:{'|'.join(ends)})")


def _ranges(letter: str) -> str:
    """A negated character class as a plain one: searches with these are several times faster."""
    everything = "".join(map(chr, range(0x10000)))
    found = (each.span() for each in re.finditer(f"{letter}+", everything))
    return "".join(f"{chr(start)}-{chr(end - 1)}" for start, end in found)


@cache
def own_letters(target: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A letter that surely belongs to a word of the target; a sign between two such words.

    A Latin letter may be a variable, which is no word.
    """
    own = SCRIPTS_OF_LANGUAGE[target]
    if "Latin" in own:
        return _NEVER, _NEVER
    letters = "".join(SCRIPTS[script] for script in own)
    return re.compile(f"[{letters}]"), re.compile(rf"[^{letters}\n.!?;。！？；…।॥؟۔]")
