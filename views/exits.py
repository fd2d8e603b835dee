"""From an exception to a message and an exit code (design, section 7).

0 done, 1 the work failed, 2 the request was wrong, 75 stopped on purpose. No traceback without
`--debug`: what a user can mend is a message; the rest names the way to see more.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

import typer

STOPPED = 75
FAILED = 1
INTERRUPTED = 130
"""What typer's newer versions make of a KeyboardInterrupt; older ones raise Abort."""


def leave(app: typer.Typer) -> NoReturn:
    """Run the command line and exit; a late signal changes neither the code nor the message."""
    try:
        code = exit_code_of(app)
    except KeyboardInterrupt:
        code = STOPPED
    for wish in (signal.SIGINT, signal.SIGTERM):
        signal.signal(wish, signal.SIG_IGN)
    raise SystemExit(code)


def exit_code_of(app: typer.Typer) -> int:
    """Run the command line; print what went wrong; return the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        result = app(standalone_mode=False)
        if result == INTERRUPTED:
            raise KeyboardInterrupt
        return result if isinstance(result, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        _say("stopped; the same command goes on")
        return STOPPED
    except BrokenPipeError:
        # The reader of a pipe went away (`| head`): not an error, but no more can be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        # Usage errors are click's own class in typer's older versions and a vendored one since.
        code = getattr(error, "exit_code", None)
        if hasattr(error, "show") and isinstance(code, int):
            error.show()
            return code
        if "--debug" in sys.argv:
            raise
        return _explain(error)


def _explain(error: Exception) -> int:
    from ..pipeline.errors import PotstillError
    from .terminal import sanitise

    if isinstance(error, PotstillError):
        _say(sanitise(str(error)))
        return error.exit_code
    if isinstance(error, PermissionError) and error.filename is not None:
        # Files of another user, anywhere below a work directory: no mistake of ours.
        what = f"{error.filename}: {error.strerror}"
        _say(f"{sanitise(what)}. Mend its permissions, or run as the user that it belongs to.")
        return FAILED
    _say(f"internal error: {type(error).__name__}: {sanitise(str(error))}")
    _say("This is a bug in potstill. `potstill --debug …` shows where.")
    return FAILED


def _say(text: str) -> None:
    sys.stderr.write(f"potstill: {text}\n")


def _interrupt(signum: int, frame: Any) -> None:
    raise KeyboardInterrupt
