"""What the attackers are after, and whether they got it: put up before, looked at afterwards.

A folder that everybody may write to with a file that everybody may read, listeners on loopback and
on Unix sockets, a token in the environment, and part of the expected answers.
"""

from __future__ import annotations

import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ENVIRONMENT_NAME: Final = "POTSTILL_ATTACK_CANARY"


@dataclass(frozen=True)
class Stage:
    """A secret, a folder that all may write to, listeners, tokens."""

    folder: Path
    """World-writable, and not in /tmp, which is another one inside."""
    token: str
    answer: str
    """Part of the expected values that only the key has."""
    listeners: dict[str, socket.socket]

    def words(self) -> dict[str, str]:
        """What the words between @ signs stand for."""
        return {
            "@WITNESS@": str(self.folder),
            "@SECRET@": str(self.folder / "secret.txt"),
            "@PORT@": str(self.listeners["tcp"].getsockname()[1]),
            "@UDP@": str(self.listeners["udp"].getsockname()[1]),
            "@ABSTRACT@": self.listeners["abstract"].getsockname()[1:].decode(),
            "@ENV@": ENVIRONMENT_NAME,
            "@ANSWER@": self.answer,
            "@HOSTNAME@": socket.gethostname(),
            "@HOME@": str(Path.home()),
        }

    def heard(self) -> list[str]:
        """Listeners that somebody reached."""
        reached = []
        for name, listener in self.listeners.items():
            try:
                if listener.type == socket.SOCK_DGRAM:
                    listener.recv(1)
                else:
                    listener.accept()[0].close()
                reached.append(name)
            except BlockingIOError:
                pass
        return reached

    def is_untouched(self) -> bool:
        """Whether the folder is as it was made."""
        secret = self.folder / "secret.txt"
        names = sorted(path.name for path in self.folder.iterdir())
        modes = [path.stat().st_mode & 0o777 for path in (self.folder, secret)]
        return (
            names == ["secret.txt", "socket"]
            and secret.read_text() == self.token
            and modes == [0o777, 0o666]
        )


@contextmanager
def set_stage() -> Iterator[Stage]:
    """A stage with everything on it; removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="witness-", dir="/var/tmp"))
    token = f"CANARY-{secrets.token_hex(16)}"
    listeners = _listeners(folder)
    try:
        (folder / "secret.txt").write_text(token)
        folder.chmod(0o777)
        (folder / "secret.txt").chmod(0o666)
        (folder / "socket").chmod(0o777)
        yield Stage(folder, token, secrets.token_hex(16), listeners)
    finally:
        for listener in listeners.values():
            listener.close()
        shutil.rmtree(folder)


def _listeners(folder: Path) -> dict[str, socket.socket]:
    found = {
        "tcp": socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "udp": socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "abstract": socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "path": socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    }
    found["tcp"].bind(("127.0.0.1", 0))
    found["udp"].bind(("127.0.0.1", 0))
    found["abstract"].bind(f"\0potstill-{secrets.token_hex(8)}")
    found["path"].bind(str(folder / "socket"))
    for listener in found.values():
        listener.setblocking(False)
        if listener.type == socket.SOCK_STREAM:
            listener.listen()
    return found
