"""Which sample is wanted next: never one more than a problem still needs.

Of a problem that needs k accepted samples and has a, with p on their way, at most k - a - p more
are asked for: each of them will belong to the shortest prefix with k accepted ones, whatever comes
of it. So stopping early wastes nothing, and a problem waits only for its own answers while others
fill the teacher. Problems already begun come before new ones; memory holds those that are open.

Pure bookkeeping: no teacher, no journal, no clock. Rows that ask the same share one request.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from .order import Attempt
from .request import Request


class State(Enum):
    """What is known of an attempt before it is asked for."""

    MISSING = "missing"
    PENDING = "pending"
    """The completion is there; `judged` will tell."""
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """Also: failed for good, or there and nobody asks whether it is accepted."""


class Pursuit:
    """One problem on its way to its quota."""

    __slots__ = ("_attempts", "accepted", "closed", "ended", "pending", "queued", "taken", "tokens")

    def __init__(self, attempts: Iterator[Attempt]) -> None:
        self._attempts = attempts
        self.taken = self.accepted = self.pending = 0
        self.tokens = 0
        """Bought for it in this run."""
        self.ended = self.closed = False
        self.queued = True

    def take(self, quota: int | None) -> Attempt | None:
        """The next attempt, if one is wanted now."""
        if self.ended or (quota is not None and self.accepted + self.pending >= quota):
            return None
        attempt = next(self._attempts, None)
        self.ended = attempt is None
        self.taken += attempt is not None
        return attempt

    def is_done(self, quota: int | None) -> bool:
        enough = quota is not None and self.accepted >= quota
        return self.pending == 0 and (self.ended or enough)


class Demand:
    """The wanted samples of all problems, one at a time.

    Args:
        problems: each problem's attempts in order.
        quota: accepted samples at which a problem has enough; None: all attempts are wanted.
        look: what is known of an attempt; called once for each, in the order of its problem.
        on_done: told of each problem that wants nothing more.
    """

    def __init__(
        self,
        problems: Iterable[Iterator[Attempt]],
        quota: int | None,
        look: Callable[[Attempt], State],
        on_done: Callable[[Pursuit], None] = lambda pursuit: None,
    ) -> None:
        self._coming = iter(problems)
        self._quota = quota
        self._look = look
        self._on_done = on_done
        self._hungry: deque[Pursuit] = deque()
        self._asked: dict[str, list[tuple[Pursuit, Attempt]]] = {}
        self._judging: dict[tuple[int, int], Pursuit] = {}
        self._all_begun = False

    @property
    def is_finished(self) -> bool:
        """Nothing is wanted and nothing is on its way."""
        return self._all_begun and not (self._hungry or self._asked or self._judging)

    def next(self) -> Request | None:
        """A request to make now; None if there is none before something on its way comes back."""
        while (pursuit := self._wanting()) is not None:
            while (attempt := pursuit.take(self._quota)) is not None:
                if (request := self._begin(pursuit, attempt)) is not None:
                    return request
            self._hungry.popleft().queued = False
            self._close_if_done(pursuit)
        return None

    def bought(self, key: str, tokens: int = 0) -> list[Attempt]:
        """The attempts that a completion answers; each is on its way until `judged`."""
        answered = self._asked.pop(key)
        for pursuit, attempt in answered:
            self._judging[attempt.position, attempt.index] = pursuit
        answered[0][0].tokens += tokens
        return [attempt for _, attempt in answered]

    def failed(self, key: str) -> list[Attempt]:
        """A request failed for good, which is an attempt that was not accepted."""
        answered = self._asked.pop(key)
        for pursuit, _ in answered:
            self._settle(pursuit, accepted=False)
        return [attempt for _, attempt in answered]

    def judged(self, attempt: Attempt, accepted: bool) -> None:
        """A completion was accepted or not (or nobody asks)."""
        self._settle(self._judging.pop((attempt.position, attempt.index)), accepted)

    def _wanting(self) -> Pursuit | None:
        if not self._hungry:
            attempts = next(self._coming, None)
            if attempts is None:
                self._all_begun = True
                return None
            self._hungry.append(Pursuit(attempts))
        return self._hungry[0]

    def _begin(self, pursuit: Pursuit, attempt: Attempt) -> Request | None:
        key = attempt.request.key
        if key in self._asked:  # another row asks the same
            pursuit.pending += 1
            self._asked[key].append((pursuit, attempt))
            return None
        state = self._look(attempt)
        if state is State.MISSING:
            pursuit.pending += 1
            self._asked[key] = [(pursuit, attempt)]
            return attempt.request
        if state is State.PENDING:
            pursuit.pending += 1
            self._judging[attempt.position, attempt.index] = pursuit
        else:
            pursuit.accepted += state is State.ACCEPTED
        return None

    def _settle(self, pursuit: Pursuit, accepted: bool) -> None:
        pursuit.pending -= 1
        pursuit.accepted += accepted
        self._close_if_done(pursuit)
        if not (pursuit.closed or pursuit.ended or pursuit.queued):
            pursuit.queued = True
            self._hungry.appendleft(pursuit)  # before any problem that is not begun

    def _close_if_done(self, pursuit: Pursuit) -> None:
        if not pursuit.closed and pursuit.is_done(self._quota):
            pursuit.closed = True
            self._on_done(pursuit)
