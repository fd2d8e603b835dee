"""Which answer do most samples of a problem give? Answers are equal if a judge says so.

The judge is a filter that compares with a key: the most frequent answer is made the key, and
whatever the filter then accepts has given the same answer, so `1/2` and `0.5` do not split the
vote. What is left over is asked about in turn, until no other answer can catch up. The filter is
asked about many problems at once (`agree`), so that all its processes have work. What a majority is
good for (a label, cons@k) is for others to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ...pipeline.filter import Judge
from ...pipeline.sample import Sample
from ..answers.final_answer import find_answer


@dataclass(frozen=True, slots=True)
class Cluster:
    """Samples that give one answer."""

    answer: str
    """As most of them write it: a key that the filter accepts of each of them."""
    members: tuple[int, ...]
    """Positions among the samples of the problem."""


@dataclass
class Poll:
    """One problem's samples, sorted into clusters as far as it takes to know the largest."""

    samples: Sequence[Sample]
    answers: dict[int, str] = field(default_factory=dict)
    """Of the samples that have a vote, by position."""
    clusters: list[Cluster] = field(default_factory=list)

    @property
    def is_decided(self) -> bool:
        """No answer that is not sorted yet could become as frequent as the most frequent one."""
        most = max((len(cluster.members) for cluster in self.clusters), default=0)
        return len(self.answers) < max(most, 1)

    @property
    def leaders(self) -> list[Cluster]:
        """The largest clusters: one, several if they are equal, none if nobody has a vote."""
        most = max((len(cluster.members) for cluster in self.clusters), default=0)
        return [cluster for cluster in self.clusters if len(cluster.members) == most]

    def key(self) -> str:
        """The most frequent of the answers left; of equals the first."""
        return Counter(self.answers[at] for at in sorted(self.answers)).most_common(1)[0][0]

    def doubtful(self) -> list[int]:
        """One position for each answer that is written differently from `key`."""
        first: dict[str, int] = {}
        for at in sorted(self.answers):
            first.setdefault(self.answers[at], at)
        first.pop(self.key())
        return list(first.values())

    def settle(self, accepted: Sequence[int]) -> None:
        """Make a cluster of the key and of the answers at the accepted positions."""
        key = self.key()
        equal = {key, *(self.answers[at] for at in accepted)}
        members = tuple(at for at in sorted(self.answers) if self.answers[at] in equal)
        self.clusters.append(Cluster(key, members))
        for at in members:
            del self.answers[at]


def agree(problems: Sequence[Sequence[Sample]], judge: Judge) -> list[Poll]:
    """The polls of some problems, all decided.

    A sample has a vote if `judge` accepts its own answer as its key: what is cut off, left open or
    unreadable has none.

    Args:
        problems: the samples of each; their own keys are not looked at.
        judge: of a filter that compares with `Sample.answer`.
    """
    polls = [Poll(samples) for samples in problems]
    _give_votes(polls, judge)
    while open_polls := [poll for poll in polls if not poll.is_decided]:
        asked = [(poll, at, poll.key()) for poll in open_polls for at in poll.doubtful()]
        accepted = _accepted(asked, judge)
        for poll in open_polls:
            poll.settle(accepted.get(id(poll), []))
    return polls


def _give_votes(polls: Sequence[Poll], judge: Judge) -> None:
    asked = [
        (poll, at, text)
        for poll in polls
        for at, sample in enumerate(poll.samples)
        if (text := _answer_of(sample))
    ]
    accepted = _accepted(asked, judge)
    for poll, at, text in asked:
        if at in accepted.get(id(poll), ()):
            poll.answers[at] = text


def _answer_of(sample: Sample) -> str:
    """What the sample answers, as it is written; empty where it gives no answer."""
    return "" if sample.completion is None else find_answer(sample.completion).text.strip()


def _accepted(asked: Sequence[tuple[Poll, int, str]], judge: Judge) -> dict[int, list[int]]:
    """Of (poll, position, key): the accepted positions, by identity of the poll."""
    if not asked:
        return {}
    verdicts = judge.judge([replace(poll.samples[at], answer=key) for poll, at, key in asked])
    found: dict[int, list[int]] = {}
    for (poll, at, _), verdict in zip(asked, verdicts, strict=True):
        if verdict.score == 1.0:
            found.setdefault(id(poll), []).append(at)
    return found
