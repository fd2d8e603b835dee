"""What a sandbox is made with: what its canaries are asked about and its worker processes hold.

Limits, languages and programs come with every `Execution`; this is what stays for a whole step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Backend = Literal["bubblewrap", "remote"]
Mode = Literal["warm", "oneshot"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Fields of the `code` filter that a sandbox is made with; hashable."""

    backend: Backend = "bubblewrap"
    mode: Mode = "warm"
    packages: tuple[str, ...] = ()
    """Installed packages that programs may import, bound read-only."""
    python: str | None = None
    """The interpreter inside; None is the running one."""
    remote_url: str | None = None
    remote_key_env: str | None = None
    """The name of the environment variable that holds the key."""
    unsafe_no_isolation: str | None = None
    """The sentence that lets programs run without any isolation."""
