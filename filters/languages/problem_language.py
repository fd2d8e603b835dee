"""Which language a problem is written in: the target where neither the row nor the config says.

The script with most words decides; where languages share it, the frequent words and the library
do. What the problem asks for ("answer in Spanish") is not understood.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import Final

from .detector import guess
from .east_asian import is_japanese
from .function_words import FUNCTION_WORDS, owners
from .masking import mask
from .runs import runs_in
from .scripts import LANGUAGE_OF_SCRIPT, WITHOUT_SPACES

_LONGEST: Final = 4000
"""Characters read of a problem."""
_LIKELY: Final = 0.4


@lru_cache(maxsize=1024)
def language_of(problem: str) -> str | None:
    """The language code of a problem, or None where it has no words or they are in doubt."""
    text = mask(problem[:_LONGEST])
    runs = [*runs_in(text, 0, len(text))]
    scripts: Counter[str] = Counter()
    for run in runs:
        scripts["Han" if run.script in WITHOUT_SPACES else run.script] += run.size
    if not scripts:
        return None
    script = max(sorted(scripts), key=lambda each: scripts[each])
    if script == "Han":
        return "ja" if is_japanese(text) else "zh"
    if script not in FUNCTION_WORDS:
        return LANGUAGE_OF_SCRIPT.get(script)
    listed = Counter(owners(script).get(word) for run in runs for word in run.words)
    del listed[None]
    language, probability = guess(text, script)
    if listed and listed[language] < max(listed.values()):
        return max(sorted(filter(None, listed)), key=lambda each: listed[each])
    return language if probability >= _LIKELY else LANGUAGE_OF_SCRIPT.get(script)
