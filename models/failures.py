"""Requests that failed for good, and when there are too many of them to go on.

A failure is an attempt without a completion: it is counted by reason, written beside the dataset
and asked again by the next run. It never becomes an empty answer. A step ends when more fail than
it allows, and early when nothing at all is answered.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from ..pipeline.errors import StepFailed
from .request import Failure

HOPELESS: Final = 20
"""Failures without one answer at which a run ends, whatever may fail."""


class Failures:
    """By request key; shared by the tiers of a step.

    Args:
        max_failed: share of the attempts that may fail.
    """

    def __init__(self, max_failed: float) -> None:
        self._max_failed = max_failed
        self._by_key: dict[str, Failure] = {}

    def __contains__(self, key: str) -> bool:
        return key in self._by_key

    def __getitem__(self, key: str) -> Failure:
        return self._by_key[key]

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, failure: Failure) -> None:
        self._by_key[failure.key] = failure

    def check(self, attempts: int, answered: bool) -> None:
        """Look at them while the step runs.

        Args:
            attempts: the most there will be.
            answered: whether this run has had one answer.

        Raises:
            StepFailed: too many, or nothing but failures.
        """
        if len(self) >= HOPELESS and not answered:
            raise StepFailed(f"{self._so_far()}, and none was answered. {self._advice()}")
        self._check_share(attempts)

    def check_all(self, attempts: int) -> None:
        """Look at them when every one of the `attempts` has its outcome.

        Raises:
            StepFailed: too many, or all of them.
        """
        if self._by_key and len(self) == attempts:
            raise StepFailed(f"{self._so_far()}: that is all of them. {self._advice()}")
        self._check_share(attempts)

    def _check_share(self, attempts: int) -> None:
        if len(self) > self._max_failed * attempts:
            raise StepFailed(
                f"{self._so_far()}, more than max_failed {self._max_failed:g} of {attempts:,}. "
                f"{self._advice()}"
            )

    def _so_far(self) -> str:
        reasons = Counter(failure.reason for failure in self._by_key.values())
        told = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
        return f"{len(self):,} requests failed for good ({told})"

    def _advice(self) -> str:
        first = next(iter(self._by_key.values()))
        return (
            f"The first said: {first.detail}. What was bought is in the journal and is not "
            "bought again: the same command goes on and asks only for the rest. To leave such "
            "rows out, raise max_failed."
        )
