"""The lint itself: rows go by once, each is rendered as for training and asked every check.

One bad row never hides another, and nothing is kept of a row but its id and the tokens of the few
examples shown. Rows need not be readable: what could not be read is told in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from ...pipeline.progress import Progress
from ...pipeline.sample import Sample
from ..chat import NotRenderable, RenderedExample, render_example
from .check_length import cut_off, too_long
from .check_model import model_faults, unusable
from .checks import ROW_CHECKS
from .finding import Excerpt, Fault, excerpt
from .linted import LintedModel, LintedRow
from .report import Report

EVERY = 200
"""Rows between two signs of progress."""

_SET_ASIDE: Final = {
    "unknown_role": "unknown_role",
    "lone_surrogate": "not_unicode",
    "invalid_utf8": "not_unicode",
}
"""Checks of rows that do not even become a sample when a file is read, by that reason."""


class Unreadable(Protocol):
    """A row that is no sample: what reading a file sets aside."""

    @property
    def number(self) -> int: ...
    @property
    def reason(self) -> str: ...
    @property
    def text(self) -> str: ...


def lint_rows(
    tokenizer: Any,
    rows: Iterable[Sample | Unreadable],
    template_kwargs: Mapping[str, Any] | None = None,
    *,
    stop_ids: frozenset[int] | None = None,
    max_length: int | None = None,
    show: int = 3,
    progress: Progress | None = None,
) -> Report:
    """Check a model's tokenizer and template on the rows that it is to be trained on.

    Args:
        stop_ids: tokens at which a server stops (`server_stop_ids`); None: the tokenizer's EOS.
        max_length: most tokens of a row; None: rows of any length.
        show: examples kept of each check.

    Returns:
        The report; its `errors` are what a training must not begin with.
    """
    linter = Linter(tokenizer, template_kwargs or {}, stop_ids, show)
    report = linter.report
    progress = progress or Progress()
    if linter.model is None:
        return report
    for row in rows:
        if isinstance(row, Sample):
            linter.render(row, max_length)
        else:
            linter.unreadable(row)
        if not report.rows % EVERY:
            progress.update(report.rows, phase="lint", findings=len(report.found))
    if not report.rows:
        report.add(Fault("no_rows", "error", "there is no row, so nothing would be trained"))
    return report


class Linter:
    """Asks every check of rows as they come; `report` is what was found so far.

    Args:
        stop_ids: tokens at which a server stops (`server_stop_ids`); None: the tokenizer's EOS.
        show: examples kept of each check.
    """

    model: LintedModel | None = None
    """None where no row can be rendered at all; the report says why."""

    def __init__(
        self,
        tokenizer: Any,
        template_kwargs: Mapping[str, Any],
        stop_ids: frozenset[int] | None = None,
        show: int = 3,
    ) -> None:
        self.report = Report(show)
        for fault in unusable(tokenizer):
            self.report.add(fault)
        if self.report.errors:
            return
        if stop_ids is None:
            stop_ids = frozenset({tokenizer.eos_token_id} - {None})
        self.model = LintedModel(tokenizer, template_kwargs, stop_ids)
        for fault in model_faults(self.model):
            self.report.add(fault)

    def render(self, row: Sample, max_length: int | None = None) -> None:
        """Render a row as for training, and look at it.

        Args:
            max_length: most tokens of it; None: any number.
        """
        if (model := self.model) is None:
            return
        for fault in cut_off(row):
            self.report.add(fault, row.id)
        try:
            example = render_example(
                model.tokenizer, row.prompt, row.completion, model.template_kwargs
            )
        except NotRenderable as refusal:
            self.report.rows += 1
            self.report.add(_refused(model, refusal), row.id)
            return
        self.look(row, example, example.labels, max_length)

    def look(
        self,
        sample: Sample,
        example: RenderedExample,
        labels: Sequence[int],
        max_length: int | None = None,
    ) -> None:
        """Look at a row that is rendered already, at the tokens and labels that are trained."""
        if self.model is None:
            return
        self.report.rows += 1
        _look_at(self.report, LintedRow(self.model, sample, example, labels), max_length)

    def unreadable(self, row: Unreadable) -> None:
        """Count a row that is no sample."""
        self.report.rows += 1
        check = _SET_ASIDE.get(row.reason, "unreadable_row")
        told = f"{row.reason}: the row is set aside when it is loaded: {row.text[:200]}"
        self.report.add(Fault(check, "error", told), f"row {row.number}")


def _refused(model: LintedModel, refusal: NotRenderable) -> Fault:
    def prove() -> tuple[Excerpt, ...]:
        shown = excerpt(model.tokenizer, "refused", refusal.token_ids, refusal.at)
        return (shown,) if refusal.token_ids else ()

    return Fault(refusal.reason, "error", str(refusal), prove)


def _look_at(report: Report, row: LintedRow, max_length: int | None) -> None:
    length = len(row.token_ids)
    report.rendered += 1
    report.tokens += length
    report.loss_tokens += length - row.start
    report.longest = max(report.longest, length)
    if max_length is not None:
        for fault in too_long(row, max_length):
            report.add(fault, row.sample.id)
    for check in ROW_CHECKS:
        for fault in check(row):
            report.add(fault, row.sample.id)
