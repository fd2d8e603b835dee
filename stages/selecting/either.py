"""A field that takes a word or settings: `order: easiest`, `order: {by: random, seed: 7}`.

Which of the two is meant is told by what was written, so that an error names one of them and not
both. What the word or the settings may be is the field's own business.
"""

from __future__ import annotations

from typing import Any, Final

from pydantic import Discriminator, Tag

WORD: Final = Tag("word")
SETTINGS: Final = Tag("settings")


def _form(value: Any) -> str:
    return "word" if isinstance(value, str) else "settings"


EITHER: Final = Discriminator(_form)
