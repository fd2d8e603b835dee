"""The template lint before a training: every row's tokens are looked at as they are rendered.

The checks are those of `potstill lint` (models/lint/). Errors stop the training before a weight is
read; warnings are what another trainer or server would make of this template, told once and
counted in the metrics. Rows that are left out are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ...models.chat import IGNORED, RenderedExample
from ...models.lint.lint import Linter
from ...pipeline.errors import RequestError
from ...pipeline.progress import Progress
from ...pipeline.sample import Sample
from ...pipeline.stage import Metrics
from ..students.student import Student

_SHOWN: Final = 3
"""Findings of an error message; the command that it names shows all."""


class RowLint:
    """Looks at the rows of one training.

    Args:
        template_kwargs: as the rows are rendered with.
    """

    def __init__(self, student: Student, template_kwargs: Mapping[str, Any]) -> None:
        # The saved folder will stop at the end of turn, whatever the base's own files say.
        stops = frozenset({student.end_of_turn, student.tokenizer.eos_token_id} - {None})
        self._linter = Linter(student.tokenizer, template_kwargs, stops)
        self._student = student.name

    def look(self, sample: Sample, example: RenderedExample, labels: Sequence[int]) -> None:
        """Look at a row that will be trained on.

        Args:
            labels: of the whole row. Earlier turns of the assistant may be under the loss; they
                were found by their own tokens (models/turns.py) and are not this lint's business.
        """
        start = example.completion_start
        self._linter.look(sample, example, [IGNORED] * start + list(labels[start:]))

    def conclude(self, progress: Progress, data: str) -> Metrics:
        """Stop on errors; tell of warnings.

        Args:
            data: what `potstill lint` would be given.

        Returns:
            For the metrics: rows looked at, and rows of each warning (0: it is the template's).

        Raises:
            RequestError: names the checks that failed, a row of each, and the command.
        """
        report = self._linter.report
        command = f"potstill lint {data} --model {self._student}"
        if report.errors:
            told = "; ".join(
                f"{found.check} ({_rows(len(found.rows))}): {_of(found.examples[0].row)}"
                f"{found.examples[0].message}"
                for found in report.errors[:_SHOWN]
            )
            raise RequestError(
                f"what {self._student} would be trained on is not what it should see: {told}. "
                f"{command} shows the tokens of each."
            )
        warnings = {found.check: len(found.rows) for found in report.of("warning")}
        if warnings:
            told = ", ".join(f"{check} ({_rows(rows)})" for check, rows in warnings.items())
            progress.note(f"lint warns: {told}. {command} shows why")
        return {"lint": {"rows": report.rows, "warnings": warnings}}


def _rows(count: int) -> str:
    return f"{count} rows" if count else "the template"


def _of(row: str | None) -> str:
    return f"row {row}: " if row else ""
