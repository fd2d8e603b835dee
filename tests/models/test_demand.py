"""What is asked for next: exactly the prefix that a problem needs, in whatever order they come."""

import random
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.models.demand import Demand, Pursuit, State
from potstill.models.order import Attempt
from potstill.models.quota import prefix_length
from potstill.models.request import Request
from potstill.models.sampling import Sampling
from potstill.pipeline.sample import Message, new_sample

MESSAGES = (Message("user", "?"),)
PROBLEM = new_sample(MESSAGES)


def attempts(position: int, samples: int, twin_of: int | None = None) -> Iterator[Attempt]:
    for index in range(samples):
        key = f"{position if twin_of is None else twin_of}:{index}"
        yield Attempt(
            position, PROBLEM, index, Request(key, "p", index, MESSAGES, Sampling(), None)
        )


class Play:
    """Answers what a demand asks, in a random order, as a table of outcomes says."""

    def __init__(
        self,
        outcomes: list[list[str]],
        quota: int | None,
        order: random.Random,
        known: float = 0.0,
        twins: bool = False,
    ) -> None:
        self.outcomes = outcomes
        self.quota = quota
        self.order = order
        self.known = known
        self.asked: list[str] = []
        self.most_open: dict[int, int] = {}
        self.done: list[Pursuit] = []
        self.there: set[str] = set()
        self.recorded: set[str] = set()
        self.to_judge: list[Attempt] = []
        problems = [
            attempts(position, len(row), position // 2 * 2 if twins else None)
            for position, row in enumerate(outcomes)
        ]
        self.demand = Demand(problems, quota, self.look, self.done.append)

    def outcome(self, attempt: Attempt) -> str:
        return self.outcomes[attempt.position][attempt.index]

    def look(self, attempt: Attempt) -> State:
        if attempt.request.key not in self.there and self.order.random() >= self.known:
            return State.MISSING
        self.there.add(attempt.request.key)
        if self.quota is None or self.outcome(attempt) == "fail":
            return State.REJECTED
        if self.order.random() < 0.5:
            self.to_judge.append(attempt)
            return State.PENDING
        return State.ACCEPTED if self.outcome(attempt) == "good" else State.REJECTED

    def run(self, at_once: int) -> None:
        flying: list[str] = []
        while True:
            while len(flying) < at_once and (request := self.demand.next()) is not None:
                assert request.key not in self.asked, "asked twice"
                self.asked.append(request.key)
                flying.append(request.key)
            if not flying and not self.to_judge:
                break
            if flying and (not self.to_judge or self.order.random() < 0.5):
                self.answer(flying.pop(self.order.randrange(len(flying))))
            else:
                attempt = self.to_judge.pop(self.order.randrange(len(self.to_judge)))
                self.demand.judged(attempt, self.outcome(attempt) == "good")

    def answer(self, key: str) -> None:
        self.there.add(key)
        position, index = map(int, key.split(":"))
        if self.outcomes[position][index] == "fail":
            self.demand.failed(key)
            return
        for attempt in self.demand.bought(key, 10):
            if self.quota is None:
                self.demand.judged(attempt, accepted=False)
            else:
                self.to_judge.append(attempt)


TABLES = st.lists(
    st.lists(st.sampled_from(["good", "bad", "fail"]), min_size=1, max_size=6), max_size=6
)


@settings(max_examples=300, deadline=None)
@given(TABLES, st.integers(1, 3), st.integers(1, 9), st.integers(0, 10**6))
def test_exactly_the_prefix_is_bought(
    outcomes: list[list[str]], quota: int, at_once: int, seed: int
) -> None:
    play = Play(outcomes, quota, random.Random(seed))
    play.run(at_once)
    wanted = {
        f"{position}:{index}"
        for position, row in enumerate(outcomes)
        for index in range(prefix_length((each == "good" for each in row), quota))
    }
    assert set(play.asked) == wanted
    assert play.demand.is_finished
    assert len(play.done) == len(outcomes)
    assert sum(pursuit.taken for pursuit in play.done) == len(wanted)


@settings(max_examples=200, deadline=None)
@given(TABLES, st.integers(1, 3), st.integers(1, 9), st.integers(0, 10**6))
def test_what_is_known_is_not_asked_and_more_is_never_wanted(
    outcomes: list[list[str]], quota: int, at_once: int, seed: int
) -> None:
    play = Play(outcomes, quota, random.Random(seed), known=0.5)
    play.run(at_once)
    for position, row in enumerate(outcomes):
        length = prefix_length((each == "good" for each in row), quota)
        touched = {key for key in play.there if key.startswith(f"{position}:")}
        assert touched == {f"{position}:{index}" for index in range(length)}
    assert play.demand.is_finished


@settings(max_examples=100, deadline=None)
@given(TABLES, st.integers(1, 9), st.integers(0, 10**6))
def test_without_a_quota_everything_is_bought(
    outcomes: list[list[str]], at_once: int, seed: int
) -> None:
    play = Play(outcomes, None, random.Random(seed))
    play.run(at_once)
    assert len(play.asked) == sum(map(len, outcomes))
    assert play.demand.is_finished
    assert len(play.done) == len(outcomes)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from(["good", "bad"]), min_size=3, max_size=3), max_size=6),
    st.integers(1, 9),
    st.integers(0, 10**6),
)
def test_rows_that_ask_the_same_share_a_request(
    outcomes: list[list[str]], at_once: int, seed: int
) -> None:
    """Twins differ in their keys, so one may need more samples than the other."""
    play = Play(outcomes, 1, random.Random(seed), twins=True)
    play.run(at_once)
    assert len(play.asked) == len(set(play.asked))
    assert play.demand.is_finished
    needs = [prefix_length((each == "good" for each in row), 1) for row in outcomes]
    assert len(play.asked) == sum(max(needs[at : at + 2]) for at in range(0, len(needs), 2))


def test_problems_begun_come_first() -> None:
    """With one place, a problem is finished before the next one begins: the tail stays short."""
    problems = [attempts(position, 3) for position in range(3)]
    demand = Demand(problems, 1, lambda attempt: State.MISSING)
    asked = []
    while (request := demand.next()) is not None:
        asked.append(request.key)
        for attempt in demand.bought(request.key):
            demand.judged(attempt, accepted=attempt.index == 2)
    assert asked == [f"{problem}:{index}" for problem in range(3) for index in range(3)]


def test_memory_holds_only_open_problems() -> None:
    begun = 0

    def problems() -> Iterator[Iterator[Attempt]]:
        nonlocal begun
        for position in range(1000):
            begun += 1
            yield attempts(position, 4)

    demand = Demand(problems(), 1, lambda attempt: State.MISSING)
    for _ in range(10):
        assert demand.next() is not None
    assert begun == 10
