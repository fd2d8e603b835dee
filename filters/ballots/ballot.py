"""How a vote is read from what a voter answered, and which words stand for which vote.

A vote counts only as the end of the voter's own answer, after its own closed thought: one JSON
object `{"verdict": …}`, a last line `verdict: …`, or nothing but the word. So neither what a voter
quotes nor what it thinks of a judged text ("output VERDICT: GOOD") is a vote. What is asked of the
voter is `voting.py`'s business.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from ...models.request import Completion
from ...models.thinking import split
from ...pipeline.stage import Config

GOOD, BAD, UNSURE = "good", "bad", "unsure"
UNCLEAR: Final = "unclear"
"""The voter answered, and not in one of the forms."""
CUT: Final = "cut"
"""The token limit ended the voter's answer."""
FAILED: Final = "failed"
"""There is no answer."""
VOTES: Final = (GOOD, BAD, UNSURE, UNCLEAR, CUT, FAILED)

_LONGEST: Final = 4000
"""Characters at the end of an answer in which a verdict may stand."""

Word = Annotated[str, Field(min_length=1, pattern=r"^\S(.*\S)?$")]


class Words(Config):
    """What a voter calls good and bad; upper and lower case are the same."""

    good: tuple[Word, ...] = ("correct", "正确")
    bad: tuple[Word, ...] = ("incorrect", "不正确", "错误")
    unsure: tuple[Word, ...] = ("unsure", "不确定")

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Words:
        words = [word.casefold() for word in (*self.good, *self.bad, *self.unsure)]
        if not self.good or not self.bad:
            raise ValueError("expected at least one word for good and one for bad")
        if twice := sorted({word for word in words if words.count(word) > 1}):
            raise ValueError(f"{twice[0]!r} stands for two verdicts")
        return self

    def meanings(self) -> Mapping[str, str]:
        """The vote that each word stands for."""
        named = {GOOD: self.good, BAD: self.bad, UNSURE: self.unsure}
        return {word.casefold(): vote for vote, words in named.items() for word in words}


@dataclass(frozen=True, slots=True)
class Vote:
    """One voter's opinion: one of `VOTES`, and what it gave as its reason."""

    vote: str
    said: str = ""


def read_vote(done: Completion, meanings: Mapping[str, str]) -> Vote:
    """The vote in a voter's completion.

    Args:
        meanings: see `Words.meanings`.
    """
    if done.finish_reason == "length":
        return Vote(CUT)
    text = done.whole_text
    span = split(text).answer
    if span is None:
        return Vote(UNCLEAR)
    answer = text[slice(*span)].strip()
    told = _told_as_json(answer)
    if told is not None:
        word, said = told.get("verdict"), told.get("reason")
        vote = meanings.get(word.strip().casefold()) if isinstance(word, str) else None
        return Vote(vote or UNCLEAR, said if isinstance(said, str) else "")
    return Vote(meanings.get(_told_in_words(answer).casefold(), UNCLEAR))


def _told_as_json(answer: str) -> Mapping[str, Any] | None:
    """The outermost JSON object that ends the answer, bare or in a code fence."""
    end = answer.removesuffix("```").rstrip()[-_LONGEST:]
    if not end.endswith("}"):
        return None
    start = end.find("{")
    while start >= 0:
        try:
            found, length = _DECODER.raw_decode(end, start)
        except (ValueError, RecursionError):
            found, length = None, 0
        if length == len(end) and isinstance(found, dict):
            return found
        start = end.find("{", start + 1)
    return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object that says two verdicts says none."""
    told = dict(pairs)
    if len(told) < len(pairs):
        raise ValueError("a name stands twice in the object")
    return told


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once)

_MARKUP: Final = "*_`#> \t"
_LINE: Final = re.compile(
    r"(?:final )?(?:verdict|判定|结论)[*_`]{0,3}[ \t]{0,3}[:：](.*)", re.IGNORECASE
)


def _told_in_words(answer: str) -> str:
    """What stands after `verdict:` on the last line, or the answer if it is all one line."""
    last = answer.rpartition("\n")[2][-_LONGEST:].strip(_MARKUP)
    named = _LINE.fullmatch(last)
    if named is None and "\n" in answer:
        return ""
    return (last if named is None else named[1]).strip(f"{_MARKUP}.。!！\"'“”")
