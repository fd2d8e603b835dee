"""Putting completions to the vote: what a voter is shown, and the count of what it says.

The judged texts are material. The template fences them with marker lines that they cannot contain
(`fenced`), and control tokens in them are broken up (`control_tokens.py`), so no text can end its
fence or its turn and speak for the voter. That a voter believes what it reads cannot be ruled out
here. Loaded when votes are needed: what buys them is heavier than all other filters together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ...models.consulting import Answers, Consultant, Consultation, open_consultant
from ...models.control_tokens import control_tokens, defused
from ...models.prompts import Asking
from ...models.questions import Questions
from ...models.request import Completion, Failure
from ...pipeline.errors import RequestError
from ...pipeline.sample import Message, Sample
from ...pipeline.stage import Context
from ...pipeline.verdict import Json, Verdict
from ..unfinished import unfinished
from .ballot import BAD, FAILED, GOOD, VOTES, Vote, read_vote

if TYPE_CHECKING:
    from ..votes import Votes

_SAID: Final = 200
"""Characters of a voter's reason kept as evidence."""


@contextmanager
def open_voting(config: Votes, step: Context) -> Iterator[VotesJudge]:
    """A judge whose votes go to the journal of a step.

    Raises:
        RequestError: a key or an engine is missing.
    """
    wanted = Consultation(
        config.teacher,
        config.sampling,
        config.votes,
        config.chat_template_kwargs,
        config.concurrency,
    )
    with open_consultant(wanted, step, config.kind) as consultant:
        yield VotesJudge(config, Ballots(config.asking()), consultant)


class Ballots:
    """Makes the question to a voter; holds what is equal for all samples."""

    def __init__(self, asking: Asking) -> None:
        self._questions = Questions(asking)
        own = "".join((asking.prompt.text, *asking.prompt.by_language.values()))
        self._own = control_tokens(own)

    def about(self, sample: Sample) -> tuple[Message, ...]:
        """What the voter is sent; control tokens of the template itself stay.

        Raises:
            RequestError: the row lacks what the template prints.
        """
        *before, asked = self._questions.messages(sample, rewrite=True)
        return (*before, Message(asked.role, defused(asked.content, self._own)))


class VotesJudge:
    def __init__(self, config: Votes, ballots: Ballots, consultant: Consultant) -> None:
        self._config = config
        self._ballots = ballots
        self._consultant = consultant
        self._meanings = config.words.meanings()

    def judge(self, samples: Sequence[Sample]) -> list[Verdict]:
        asked = [unfinished(sample) or self._ballot(sample) for sample in samples]
        ballots = [each for each in asked if not isinstance(each, Verdict)]
        voted = iter([self._verdict(answers) for answers in self._consultant.ask(ballots)])
        return [each if isinstance(each, Verdict) else next(voted) for each in asked]

    def _ballot(self, sample: Sample) -> tuple[Message, ...] | Verdict:
        try:
            return self._ballots.about(sample)
        except RequestError as error:
            return Verdict(None, "not_askable", {"detail": str(error)})

    def _verdict(self, answers: Answers) -> Verdict:
        votes = [self._read(answer) for answer in answers]
        counts = Counter(vote.vote for vote in votes)
        good, bad = counts[GOOD], counts[BAD]
        evidence: dict[str, Json] = {name: counts[name] for name in VOTES}
        evidence["votes"] = [
            {"vote": vote.vote, "said": _printable(vote.said), "key": answer.key}
            for vote, answer in zip(votes, answers, strict=True)
        ]
        if good + bad < self._config.needed:
            return Verdict(None, "not_enough_votes", evidence)
        evidence["agreement"] = round(max(good, bad) / (good + bad), 4)
        if good == bad:
            return Verdict(None, "tied_votes", evidence)
        return Verdict(float(good > bad), "voted_good" if good > bad else "voted_bad", evidence)

    def _read(self, answer: Completion | Failure) -> Vote:
        if isinstance(answer, Failure):
            return Vote(FAILED, answer.reason)
        return read_vote(answer, self._meanings)


def _printable(text: str) -> str:
    """Lone surrogates, which a model's JSON can hold, have no UTF-8 form."""
    return text[:_SAID].encode("utf-8", "replace").decode("utf-8")
