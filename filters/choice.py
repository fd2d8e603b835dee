r"""Is the option that the answer decides for the one of the key?

Key and answer may have any usual form: `B`, `(B) 42 cm`, `\boxed{\text{B}}`, "The answer is B",
`故选：B`, several letters (`AC`, `A, C`: compared as sets), or the text of an option that the
prompt lists. How the decision is found: `choice_answer.py`. An answer that leaves it open between
options is `contradictory_answers`, and so is one that names several where one is asked for.

The prompt's own list of options widens `letters`, so that a key of H is fine under options A to J.
Numbers are no letters: whether 2 means B or C nobody says.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from ..pipeline.filter import RowFilter
from ..pipeline.sample import Sample
from ..pipeline.verdict import Json, Verdict
from .answers.answer_text import key_text, printable, read_part
from .choices.choice_answer import Found, Question, find_choice, read_whole
from .choices.choice_options import letter_of, options_of
from .unfinished import UNFINISHED

_LETTERS = "ABCDEFGHIJ"


class Choice(RowFilter):
    """1.0 if the answer chooses what the key says, 0.0 if not, None if the key cannot tell."""

    kind: ClassVar[str] = "choice"
    reasons: ClassVar[frozenset[str]] = UNFINISHED | {
        "no_key",
        "unparseable_key",
        "correct",
        "wrong",
        "contradictory_answers",
        "not_an_option",  # the box holds something, but no option
    }

    letters: str = Field(default="ABCDE", min_length=2)
    """The letters that options may have where the prompt lists none: A to at most J."""

    @field_validator("letters")
    @classmethod
    def _begins_with_a(cls, letters: str) -> str:
        if not _LETTERS.startswith(letters):
            raise ValueError(f"expected the first letters of {_LETTERS}, such as ABCD")
        return letters

    def judge_one(self, sample: Sample) -> Verdict:
        key = sample.answer
        if key is None or not key.strip():
            return Verdict(None, "no_key")
        options = options_of(sample.question)
        alphabet = _LETTERS[: max(len(self.letters), len(options))]
        right = _read_key(key_text(key), Question(alphabet, options, several=False))
        if right is None:
            return Verdict(None, "unparseable_key", {"key": printable(key)})
        part = read_part(sample, "answer")
        if isinstance(part, Verdict):
            return part
        found = find_choice(part.text, Question(alphabet, options, several=len(right) > 1))
        if found is None:
            return Verdict(0.0, "no_answer")
        return _compare(found, right, {"answer_span": part.span(*found.span)})

    def answering(self, key: str) -> str:
        """A completion that answers exactly `key`."""
        return f"\\boxed{{{key_text(key)}}}"


def _read_key(key: str, question: Question) -> frozenset[str] | None:
    named = read_whole(key, question)
    if named is not None:
        return None if named.either else named.letters
    letter = letter_of(key, question.options)
    return frozenset(letter) if letter else None


def _compare(found: Found, right: frozenset[str], evidence: dict[str, Json]) -> Verdict:
    evidence |= {
        "answer": "".join(sorted(found.letters)),
        "by": found.by,
        "key": "".join(sorted(right)),
    }
    if not found.letters:
        return Verdict(0.0, "not_an_option", evidence)
    if found.either or (len(found.letters) > 1 and len(right) == 1):
        return Verdict(0.0, "contradictory_answers", evidence)
    good = found.letters == right
    return Verdict(float(good), "correct" if good else "wrong", evidence)
