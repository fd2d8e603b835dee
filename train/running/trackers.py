"""Trackers beside the artifact's own log: tensorboard, wandb, trackio, through transformers.

Their files go to `<work>/<recipe>/logs/`, which outlives the step's state. They hold clocks and
host names, so they are never part of the artifact. Keys are read by the tracker itself from its
environment variable.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

from ...pipeline.errors import RequestError
from ...pipeline.stage import Context

_MODULES: Final = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}
"""Any one of the modules serves."""


def prepare_trackers(trackers: Sequence[str], context: Context) -> None:
    """Refuse what is not installed, and say where the others write.

    Raises:
        RequestError: names the tracker and the command that installs it.
    """
    for tracker in trackers:
        modules = _MODULES[tracker]
        if not any(map(find_spec, modules)):
            raise RequestError(
                f"trackers: {tracker} is not installed here. Install: pip install {modules[0]}; "
                "or leave it out: the loss curve is in log/steps.jsonl of the result."
            )
    folder = context.out.parent / "logs"
    project = context.step.partition("/")[0]
    # Names that transformers' callbacks read (integration_utils.py); the user's own win.
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(folder / "tensorboard" / context.out.name))
    os.environ.setdefault("WANDB_DIR", str(folder))
    os.environ.setdefault("WANDB_PROJECT", project)
    os.environ.setdefault("TRACKIO_DIR", str(folder / "trackio"))
