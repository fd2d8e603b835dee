"""Which sandbox the settings ask for. There is no falling back from one to another.

    bubblewrap   on this machine (`local.py`)
    remote       a server with SandboxFusion's API (`remote.py`)
    none         no isolation: only with a sentence that nobody writes by accident

Whether what is opened here isolates anything is asked by `canaries.py`, not assumed.
"""

from __future__ import annotations

import platform
from typing import Final, Literal

from ...pipeline.errors import RequestError
from .execution import Sandbox
from .settings import Settings

Isolation = Literal["bubblewrap", "remote", "none"]

ACCEPTANCE: Final = (
    "I accept that programs written by a model run with my rights, my files and my network."
)
"""The value of `unsafe_no_isolation` that turns isolation off, to the letter."""


def isolation_of(settings: Settings) -> Isolation:
    """What stands between programs and this machine.

    Raises:
        RequestError: `unsafe_no_isolation` is anything but the sentence.
    """
    if settings.unsafe_no_isolation is None:
        return settings.backend
    if settings.unsafe_no_isolation != ACCEPTANCE:
        raise RequestError(
            f"code.unsafe_no_isolation is {settings.unsafe_no_isolation!r:.120}; expected to be "
            f"left out, so that programs are isolated, or exactly this sentence: {ACCEPTANCE!r}"
        )
    return "none"


def open_sandbox(settings: Settings) -> Sandbox:
    """The sandbox asked for; nothing is started before its first program.

    Raises:
        RequestError: the settings contradict each other or lack something.
    """
    isolation = isolation_of(settings)
    if settings.backend == "remote":
        return _remote(settings)
    if settings.remote_url or settings.remote_key_env:
        raise RequestError(
            f"code.remote_url is {settings.remote_url!r} with backend {settings.backend!r}, which "
            "would not use it; set code.backend to 'remote', or take remote_* out"
        )
    _refuse_other_systems(isolation)
    if isolation == "none":
        from .unsafe import UnsafeProcesses

        return UnsafeProcesses(settings)
    from .local import LocalSandbox

    return LocalSandbox(settings)


def _remote(settings: Settings) -> Sandbox:
    if settings.remote_url is None:
        raise RequestError(
            "code.backend is 'remote' and code.remote_url is not set; expected the address of a "
            "server with SandboxFusion's API, such as http://sandbox.example:8080"
        )
    from .remote import RemoteSandbox

    return RemoteSandbox(settings.remote_url, settings.remote_key_env)


def _refuse_other_systems(isolation: Isolation) -> None:
    if platform.system() != "Linux":
        raise RequestError(
            f"code is judged on Linux only ({isolation}), and this is {platform.system()}; use "
            "Linux, or a remote sandbox (backend: remote, with remote_url)"
        )
