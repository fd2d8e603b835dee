"""The three ways potstill stops, each with its exit code (design, section 7).

A message says what happened, the value that was met, what was expected and what to do next.
Anything else that is raised is our own mistake and keeps its traceback.
"""


class PotstillError(Exception):
    """Base of every error that a user may see without a traceback."""

    exit_code = 1


class RequestError(PotstillError):
    """The request was wrong: a recipe, a file, an option. Nothing was run."""

    exit_code = 2


class StepFailed(PotstillError):
    """The work itself failed: an engine, a trainer, a disk."""

    exit_code = 1


class StoppedOnPurpose(PotstillError):
    """Stopped by Ctrl-C, a budget or a breaker: the same command goes on from here."""

    exit_code = 75
