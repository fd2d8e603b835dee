r"""Find the option that an answer decides for, whatever its form.

In this order: the last `\boxed{…}`; what is said to be the answer ("The answer is C", "故选：C"); a
line that is nothing but letters; an option that is called right; the text of an option instead of
its letter; the only option named in the last sentence. Boxes of one sentence belong together. If
something is taken back ("wait, …"), what is decided behind that counts first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from ...models.thinking import Span
from ..answers.boxed import find_boxes
from ..answers.sentences import sentences
from .choice_claims import decision_cues, decisions, mentions, opinions, taken_back
from .choice_letters import Letters, Named
from .choice_lines import answer_line
from .choice_options import letter_of

_LEAD: Final = re.compile(
    r"\s*+(?:(?:the|so|故|正确|final|correct|right|best)\s*+){0,3}"
    r"(?:(?:answers?|options?|choices?|选项|答案|选择|选)\s*+){0,2}(?:(?:is|are|是|为|选|:)\s*+){0,2}",
    re.IGNORECASE,
)
_REST: Final = re.compile(r"\s*+(?:[.,;:!)\]、]|[-–—]\s|\Z)|\s++\(")
_STATEMENT_ENDS: Final = re.compile(r"[.!?](?=\s)|[。！？\n]")
_OR: Final = re.compile(r"\bor\b|或|还是|/")
_COPULA: Final = re.compile(r"(?:\b(?:is|are|be|as)|[:是为])\s*\Z")
_NOT_SAID: Final = re.compile(r"n't|\b(?:cannot|if|whether|neither|never)\b|不|如果|是否", re.I)
_RULED_OUT: Final = re.compile(
    r"\b(?:not|wrong|incorrect|false|unlike|except|eliminat(?:e[sd]?|ing)|rul(?:e|es|ing)\s+out|cannot)\b|n't"
    r"|错|不|排除|除了",
    re.IGNORECASE,
)
_TEXT_ENDS: Final = re.compile(r"[.!?](?=\s|\Z)|[。！？\n]")


@dataclass(frozen=True, slots=True)
class Found:
    """What an answer decides for: letters, or nothing that is an option."""

    letters: frozenset[str]
    either: bool
    """Several are named, and none is chosen."""
    by: str
    span: Span
    """In the answer text."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is known of the options before the answer is read."""

    alphabet: str
    options: Mapping[str, str]
    several: bool
    """More than one option is right."""


def find_choice(text: str, question: Question) -> Found | None:
    """The choice of an answer; with no letters if its box holds something that is no option."""
    letters = Letters(text, question.alphabet)
    behind = taken_back(letters)
    boxed = _boxed(text, behind, question)
    found = _usable(boxed) or _said(letters, behind, question)
    if found is None and behind:
        boxed = _boxed(text, 0, question)
        found = _usable(boxed) or _said(letters, 0, question)
    return found or _by_option_text(letters, question) or _last_sentence(letters) or boxed


def read_whole(text: str, question: Question) -> Named | None:
    """The letters that a key or the content of a box is, perhaps with the option's text."""
    letters = Letters(text, question.alphabet)
    lead = _LEAD.match(letters.plain)
    named = letters.read(lead.end() if lead else 0)
    if named is None:
        return None
    rest = text[named.end :]
    if named.enclosed or _REST.match(letters.plain, named.end):
        return named
    own = letter_of(rest, question.options)  # "B 42 cm", but no expression such as D \sin x
    return named if own is not None and {own} == named.letters else None


def _usable(boxed: Found | None) -> Found | None:
    return boxed if boxed is not None and boxed.letters else None


def _boxed(text: str, start: int, question: Question) -> Found | None:
    """The boxes of the last statement that has one."""
    boxes = find_boxes(text, start).innermost()
    if not boxes:
        return None
    group = [boxes[-1]]
    either = False
    for box in reversed(boxes[:-1]):
        between = text[box[1] : group[0][0]]
        if _STATEMENT_ENDS.search(between):
            break
        either = either or _OR.search(between) is not None
        group.insert(0, box)
    read = [_one_box(text[slice(*box)], question) for box in group]
    names = frozenset[str]().union(*(one.letters for one in read))
    either = len(names) > 1 and (either or any(one.either for one in read))
    by = read[-1].by
    return Found(names, either, by, (group[0][0], group[-1][1]))


def _one_box(content: str, question: Question) -> Found:
    named = read_whole(content, question)
    if named is not None:
        return Found(named.letters, named.either, "boxed", (0, 0))
    letter = letter_of(content, question.options)
    return Found(frozenset(letter or ()), False, "option_text" if letter else "boxed", (0, 0))


def _said(letters: Letters, start: int, question: Question) -> Found | None:
    """A decision, a line of its own, or an opinion."""
    if decided := decisions(letters, start):
        return _as_found(decided[-1], "phrase")
    if line := answer_line(letters, start):
        return _as_found(line, "line")
    called = opinions(letters, start)
    if called and question.several:
        names = frozenset[str]().union(*(named.letters for named in called))
        return Found(names, False, "opinions", (called[0].start, called[-1].end))
    return _as_found(called[-1], "opinion") if called else None


def _as_found(named: Named, by: str) -> Found:
    return Found(named.letters, named.either, by, (named.start, named.end))


def _by_option_text(letters: Letters, question: Question) -> Found | None:
    """An answer, or what stands behind "the answer is", that is the text of an option."""
    if not question.options:
        return None
    one_line = "\n" not in letters.text.strip()
    if one_line and (named := read_whole(letters.text, question)):
        return _as_found(named, "line")
    for start, end in reversed(list(_texts(letters))):
        if letter := letter_of(letters.text[start:end], question.options):
            return Found(frozenset(letter), False, "option_text", (start, end))
    return None


def _texts(letters: Letters) -> Iterator[Span]:
    text = letters.text
    yield 0, len(text)
    for begin in decision_cues(letters, 0):
        begin += len(text[begin:]) - len(text[begin:].lstrip(" :*\n"))
        stop = _TEXT_ENDS.search(text, begin)
        yield begin, stop.start() if stop else len(text)


def _last_sentence(letters: Letters) -> Found | None:
    """The only option that the last sentence names: "option C", "(C)", or at its end "is C"."""
    start, end = next(reversed(list(sentences(letters.text, 0, len(letters.text)))), (0, 0))
    sentence = letters.plain[start:end]
    if sentence.endswith("?"):
        return None
    named = list(mentions(letters, start))
    if len(named) == 1 and _is_predicate(letters, named[0][0], sentence):
        return _as_found(named[0][0], "last_sentence")
    if _RULED_OUT.search(sentence):
        return None
    marked = [each for each, by_word in named if by_word or each.enclosed]
    names = frozenset[str]().union(*(each.letters for each in marked))
    if len(names) == 1 or (len(marked) == 1 and marked[0].either):
        return _as_found(marked[-1], "last_sentence")
    return None


def _is_predicate(letters: Letters, named: Named, sentence: str) -> bool:
    """Whether the sentence asserts at its end that something "is C"."""
    before = letters.plain[max(0, named.start - 8) : named.start]
    ends = not letters.plain[named.end :].strip(" .!)\n")
    return ends and bool(_COPULA.search(before)) and not _NOT_SAID.search(sentence)
