"""What a Java program must be called: its file by the public type in it, the start by who has main.

Java wants both before it looks at the text, so the text is read for them here: top-level types,
and in which of them `void main(` stands, comments and literals left out. It is no parser: on a text
that is no Java the names are of no use, and the compiler says why. One pass, linear on any text.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

_LONGEST: Final = 100
"""Characters of a name; longer ones are cut, since a name goes into a command."""

_TOKEN: Final = re.compile(
    r"""
      //[^\n]*+
    | /\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)
    | \"{3}(?:[^"\\]|\\.|"(?!""))*+(?:\"{3}|\Z)
    | "(?:[^"\\\n]|\\.)*+"?
    | '(?:[^'\\\n]|\\.)*+'?
    | (?P<brace>[{}])
    | \bpackage\s++(?P<package>[\w.]++)
    | (?P<public>\bpublic\b)
    | \b(?:class|record|enum|interface)\s++(?P<type>\w++)
    | (?P<main>\bvoid\s++main\s*+\()
    """,
    re.VERBOSE | re.DOTALL,
)


class Names(NamedTuple):
    """Of a program in one file."""

    file: str
    """The file's name without `.java`."""
    start: str
    """The class to start, with its package."""


def names_in(code: str) -> Names:
    """The names that a Java program has to go by; `Main` where it does not say."""
    depth, package, public, marked, current, start = 0, "", "", False, "", ""
    for token in _TOKEN.finditer(code):
        kind = token.lastgroup
        if kind == "brace":
            depth += 1 if token["brace"] == "{" else -1
            marked = False
        elif kind == "main" and depth == 1:
            start = start or current
        elif depth == 0 and kind == "package":
            package = token["package"][:_LONGEST]
        elif depth == 0 and kind == "public":
            marked = True
        elif depth == 0 and kind == "type":
            current = token["type"][:_LONGEST]
            public = public or (current if marked else "")
    start = start or public or "Main"
    return Names(public or start, f"{package}.{start}" if package else start)
