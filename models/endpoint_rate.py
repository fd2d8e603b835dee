"""A token bucket: so many requests, or tokens, a minute, evenly.

Servers count by the minute and refuse what is above; staying below costs less than being refused.
The bucket holds little, so that no minute ever sees much more than its share. What a request will
cost in tokens is known only afterwards: `take` may leave the bucket in debt, which is waited for.
Times are seconds of one monotonic clock. Nothing here sleeps.
"""

from __future__ import annotations

from typing import Final

REQUESTS_HELD_S: Final = 1.0
"""Requests are spread over the minute: a bucket holds a second's worth, and at least one."""

TOKENS_HELD_S: Final = 10.0


class Bucket:
    """`per_minute` units flow in; sends are allowed while something is left."""

    def __init__(self, per_minute: float, held_s: float, least: float = 1.0) -> None:
        self._rate = per_minute / 60
        self._most = max(least, self._rate * held_s)
        self._level = self._most
        self._at = 0.0

    def level(self, now: float) -> float:
        """Units that may be taken now; negative where more was taken than there was."""
        if now > self._at:
            self._level = min(self._most, self._level + (now - self._at) * self._rate)
            self._at = now
        return self._level

    def take(self, now: float, units: float) -> None:
        """Use up units, perhaps more than there are; a negative number gives some back."""
        self._level = min(self._most, self.level(now) - units)

    def next_at(self, now: float, units: float) -> float:
        """When there will be `units`: now, or later."""
        missing = min(units, self._most) - self.level(now)
        return now + max(0.0, missing / self._rate)
