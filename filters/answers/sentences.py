r"""Split answers into sentences, and find the math in them, without being misled by either.

A sentence ends at a full stop that is no decimal point, list number or abbreviation, at Chinese
punctuation, and at a line end unless the line goes on: behind a comma or connective, before a
lower-case word, or around a formula that stands on lines of its own. Nothing inside math ends one.

`MATH` finds `$…$`, `$$…$$`, `\(…\)`, `\[…\]` and environments. A dollar sign is math as in pandoc:
no space inside it, no digit after it and no number with words in it: `from $18 to $20` are prices.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...models.thinking import Span

MATH = r"""
    \$\$ (?: \\. | [^$\\] )++ \$\$
  | (?<!\\) \$ (?=[^\s$]) (?!\d[^$\n\\{]*?[ ,][a-z]{2,}[ ][a-z])
      (?: \\. | [^$\\\n] )++ (?<=\S) \$ (?!\d)
  | (?<!\\) \$ [ ] (?: \\[A-Za-z]++ | (?<![A-Za-z])[A-Za-z](?![A-Za-z]) | [^$\\\nA-Za-z] )++
      (?<=[ ]) \$
  | \\\( (?: [^\\] | \\[^()] )*+ \\\)
  | \\\[ (?: [^\\] | \\[^][] )*+ \\\]
  | \\begin\{(?P<environment>[a-z]{1,12}\*?)\}
      (?: [^\\] | \\(?!begin|end). )*+ \\end\{(?P=environment)\}
"""
"""Pattern for VERBOSE and DOTALL; every alternative stops where another one could begin."""

CLOSERS = r"""["'”’」』）)\]*_}`]*+"""
"""What may stand between the end of a sentence and the space behind it."""

_NEAR = 12
"""Characters before and behind a sign that are looked at."""
_STOPS = frozenset(".!?。！？． *_`\n")
_STEP = re.compile(
    rf"""(?P<math>{MATH})
      | (?P<han>(?:[。！？]|．(?!\d)){CLOSERS})
      | (?P<stop>(?<![.!?])[.!?]++(?={CLOSERS}(?:\s|\Z|[\u3400-\u9fff]))){CLOSERS}
      | (?P<line>\n\s*+)""",
    re.VERBOSE | re.DOTALL,
)
_NO_END = re.compile(
    r"(?:\b(?:e\.g|i\.e|vs|approx|Mr|Mrs|Ms|Dr|Prof|cf|resp|ca)|\n[\s>*#(]*(?:1?\d|20))\Z"
)
_NO_END_BEFORE_DIGIT = re.compile(r"\b(?:[Nn]o|Nos|Fig|Eq|eq|Rs|Ans|Ex|Ch|Q)\Z")
_FACTORIAL = re.compile(r"[\d)}]\Z")
_ITEM = re.compile(r"(?:[-*+•]|\d{1,3}[.)])\s|#|\||>")
_GOES_ON = re.compile(r"[,，、]\Z|\b(?:or|and|is|are|be|equals)\Z|[或和与及是为]\Z", re.IGNORECASE)
_FORMULA = re.compile(r"\$|\\[\[(]|\\begin")
_WORD_OR_COLON = re.compile(r"[^\W\d_][*_]*[:：]?\Z|[:：]\Z")


def sentences(text: str, start: int, end: int) -> Iterator[Span]:
    """The sentences of `text[start:end]` without the space around them, none of them empty."""
    begin = start
    for step in _STEP.finditer(text, start, end):
        if step["math"] is None and _ends_sentence(text, step, end):
            stop = step.start() if step["line"] is not None else step.end()
            yield from _stripped(text, begin, stop)
            begin = step.end()
    yield from _stripped(text, begin, end)


def without_stop(text: str, span: Span) -> Span:
    """A sentence without the sign that ends it: `It is 5!` is no factorial."""
    start, end = span
    while end > start and text[end - 1] in _STOPS:
        end -= 1
    return start, end


def _stripped(text: str, start: int, end: int) -> Iterator[Span]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start < end:
        yield start, end


def _ends_sentence(text: str, step: re.Match[str], end: int) -> bool:
    if step["han"] is not None:
        return True
    before = text[max(0, step.start() - _NEAR) : step.start()]
    if step.start() < _NEAR:
        before = "\n" + before
    after = text[step.end() : min(end, step.end() + _NEAR)]
    if step["line"] is not None:
        return _ends_at_line(before, after)
    if step["stop"] == ".":
        if _NO_END.search(before):
            return False
        return not (_NO_END_BEFORE_DIGIT.search(before) and after.lstrip()[:1].isdigit())
    follows = after.lstrip(" \t")[:1]
    if step["stop"] == "!" and _FACTORIAL.search(before):
        return not follows or follows == "\n" or follows.isupper() or follows >= "\u3400"
    return step["stop"][0] != "." or not follows.islower()


def _ends_at_line(before: str, after: str) -> bool:
    before = before.rstrip()
    if _ITEM.match(after):
        return True
    if _GOES_ON.search(before) or after[:1].islower():
        return False
    return not (_FORMULA.match(after) and _WORD_OR_COLON.search(before))
