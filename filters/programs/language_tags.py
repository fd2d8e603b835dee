"""What the word behind a fence says: the language of a block, by one name for all its spellings.

`Python3`, `py`, `{.python}`, `python3.11`, `solution.py` and `python title="x"` are all `python`.
A tag that no table knows is a language of its own, by its lower-case word. `""` is a block that
says nothing: no tag, or one that says only "code".
"""

from __future__ import annotations

import re
from typing import Final

UNTAGGED: Final = ""

_WORD: Final = re.compile(r"[ \t]*\{?[ \t]*\.?(?P<word>[\w+#.-]*+)(?!=)")
"""The first word of an info string; attributes in braces may stand around it (Pandoc, R)."""
_VERSION: Final = re.compile(r"(?<=[a-z+])[-_]?\d[\d.x]*\Z")
_LONGEST: Final = 40
"""Characters of a tag; the longest language name in use has 20."""
_SPELLINGS: Final = {
    "python": "py cpython pypy ipython python-script",
    "cpp": "c++ cc cxx hpp gnu++ g++",
    "c": "gcc ansi-c",
    "csharp": "c# cs",
    "javascript": "js node nodejs node.js mjs cjs ecmascript es",
    "typescript": "ts",
    "java": "openjdk",
    "rust": "rs",
    "go": "golang",
    "ruby": "rb",
    "kotlin": "kt",
    "bash": "sh shell zsh shellscript",
    "text": "txt plain plaintext output",
    "markdown": "md",
    UNTAGGED: "code",
}
_NAMES: Final = {
    spelling: name for name, others in _SPELLINGS.items() for spelling in (name, *others.split())
}


def language_of(info: str) -> str:
    """The language that an info string or the name of a language means."""
    found = _WORD.match(info)
    word = found["word"][:_LONGEST].lower().strip(".-") if found else ""
    for spelling in (word, _VERSION.sub("", word), word.rpartition(".")[2]):
        if spelling in _NAMES:
            return _NAMES[spelling]
    return word


def is_known(language: str) -> bool:
    """Whether a table knows the language: a word that is none may be prose."""
    return language in _SPELLINGS and language != UNTAGGED
