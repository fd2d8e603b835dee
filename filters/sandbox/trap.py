"""What this machine lays out for canaries to step into: a file, a folder, listeners, a variable.

Each holds a random token or is watched, so that whatever a program inside does to it is seen from
here and need not be believed. All of it is gone when the block is left.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

_FILE: Final = "secret"
_PLACE: Final = "/var/tmp"
"""Not /tmp: sandboxes put one of their own there, which would hide the trap and not the host."""


class Trap:
    """A context manager; the variable is in this process's environment inside the block."""

    def __init__(self) -> None:
        self.token = secrets.token_hex(16)
        self.variable = f"POTSTILL_CANARY_{secrets.token_hex(4).upper()}"
        self.unix_name = f"potstill-canary-{secrets.token_hex(8)}"
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            place = _PLACE if os.access(_PLACE, os.W_OK | os.X_OK) else None
            made = tempfile.TemporaryDirectory(prefix="potstill-canary-", dir=place)
            self.folder = Path(held.enter_context(made))
            self._open_to_everybody()
            self._listeners = [
                held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
                held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)),
                held.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)),
            ]
            self._listen()
            os.environ[self.variable] = self.token
            held.callback(os.environ.pop, self.variable)
            self._held = held.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._held.close()

    @property
    def secret(self) -> Path:
        """A file that everybody may read, with the token in it."""
        return self.folder / _FILE

    @property
    def ports(self) -> tuple[int, int]:
        """Of the TCP and the UDP listener, on the loopback interface."""
        tcp, udp, _ = self._listeners
        return tcp.getsockname()[1], udp.getsockname()[1]

    def reached(self) -> list[str]:
        """The listeners that heard something since they were asked last."""
        tcp, udp, unix = self._listeners
        heard = []
        for name, listener in {"TCP": tcp, "UDP": udp, "a unix socket": unix}.items():
            try:
                if listener is udp:
                    listener.recv(100)
                else:
                    listener.accept()[0].close()
            except BlockingIOError:
                continue
            heard.append(name)
        return heard

    def written(self) -> list[str]:
        """Files in the folder that were not put there from here."""
        return [name for name in os.listdir(self.folder) if name != _FILE]

    def _open_to_everybody(self) -> None:
        """As open as a file can be: what keeps a program out must be the isolation."""
        self.folder.chmod(0o777)
        self.secret.write_text(self.token)
        self.secret.chmod(0o644)

    def _listen(self) -> None:
        tcp, udp, unix = self._listeners
        tcp.bind(("127.0.0.1", 0))
        udp.bind(("127.0.0.1", 0))
        unix.bind("\0" + self.unix_name)
        for listener in (tcp, unix):
            listener.listen()
        for listener in self._listeners:
            listener.setblocking(False)
