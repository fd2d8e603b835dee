"""When waiting for servers makes no sense any more, and the run should stop and go on later.

Three things are not sat out: every server is away for long, every request is refused as too much
for long, or a server asks for a longer wait than anyone would watch. All of them end the run with
the exit code that says "the same command goes on from here".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from ..pipeline.errors import StoppedOnPurpose
from .endpoint_server import Server

PATIENCE_S: Final = 300.0
"""How long servers may be away, or refuse everybody, before the run stops."""

LONGEST_PAUSE_S: Final = 600.0
"""What a server may ask to wait (Retry-After) when there is nothing else to do."""

_KEPT: Final = "All answers so far are kept; run the same command again"


class Patience:
    """Of one pool with all its servers. Times are seconds of the monotonic clock."""

    def __init__(self, servers: Sequence[Server]) -> None:
        self._servers = servers
        self._names = ", ".join(server.name for server in servers)
        self._silent_since: float | None = None

    def answered(self) -> None:
        """Somebody was answered."""
        self._silent_since = None

    def refused(self, now: float) -> None:
        """Somebody was told to slow down.

        Raises:
            StoppedOnPurpose: so is everybody, for long.
        """
        if any(server.in_flight for server in self._servers):
            return
        if self._silent_since is None:
            self._silent_since = now
        if now - self._silent_since > PATIENCE_S:
            raise StoppedOnPurpose(
                f"{self._names} refused every request for {PATIENCE_S:.0f} s as too much. {_KEPT} "
                "when the limit allows."
            )

    def check_away(self, now: float) -> None:
        """Raises StoppedOnPurpose if all servers are away for long."""
        if any(server.breaker.trying for server in self._servers):
            return
        latest = max(
            math.inf if (since := server.breaker.down_since) is None else since
            for server in self._servers
        )
        if now - latest > PATIENCE_S:
            raise StoppedOnPurpose(
                f"{self._names} did not answer for {PATIENCE_S:.0f} s. {_KEPT} when the server is "
                "back."
            )

    def check_wait(self, now: float, next_at: float) -> None:
        """Raises StoppedOnPurpose if nothing is in flight and `next_at` is too far away."""
        if any(server.in_flight for server in self._servers) or next_at == math.inf:
            return
        if next_at - now > LONGEST_PAUSE_S:
            raise StoppedOnPurpose(
                f"{self._names} asks to wait {next_at - now:.0f} s (Retry-After). {_KEPT} after "
                "that time."
            )
