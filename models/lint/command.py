"""`potstill lint`: a model's folder and rows from anywhere, with the limits that the folder tells.

The checks are `lint.py`'s; a training step, which has its tokenizer already, calls these.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ...pipeline.progress import Event, Progress
from ...pipeline.sample import Sample
from ..chat import open_tokenizer
from .check_folder import folder_faults
from .lint import Unreadable, lint_rows
from .linted import longest_input, server_stop_ids
from .report import Report


def lint_file(
    folder: Path,
    rows: Iterable[Sample | Unreadable],
    template_kwargs: Mapping[str, Any],
    max_length: int | None,
    show: int,
    listen: Callable[[Event], None] | None = None,
) -> Report:
    """Lint rows against the model in `folder`.

    Args:
        max_length: None: as many tokens as the model's positions allow.

    Raises:
        RequestError: there is no tokenizer in the folder.
    """
    tokenizer = open_tokenizer(folder)
    report = lint_rows(
        tokenizer,
        rows,
        template_kwargs,
        stop_ids=server_stop_ids(folder, tokenizer),
        max_length=max_length or longest_input(folder),
        show=show,
        progress=Progress(listen),
    )
    for fault in folder_faults(folder, tokenizer):
        report.add(fault)
    return report
