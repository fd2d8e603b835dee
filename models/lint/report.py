"""What a lint found: counts of every check, the rows concerned, the first few with their proof.

Findings of one check are kept apart by severity. Ids of all rows are kept, texts of none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .checks import CHECKS
from .finding import Fault, Finding, Severity

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
_ORDER = {name: place for place, name in enumerate(CHECKS)}


@dataclass
class Found:
    """All faults of one check and severity."""

    check: str
    severity: Severity
    rows: list[str] = field(default_factory=list)
    """Ids of the rows concerned; empty for a fault of the model."""
    lengths: list[int] = field(default_factory=list)
    """Their lengths in tokens, for `too_long`."""
    examples: list[Finding] = field(default_factory=list)

    def facts(self) -> dict[str, Any]:
        """JSON values; `holds` is what the check wants."""
        told: dict[str, Any] = {
            "check": self.check,
            "severity": self.severity,
            "holds": CHECKS[self.check],
            "count": len(self.rows),
            "rows": self.rows,
            "examples": [example.facts() for example in self.examples],
        }
        return {**told, "lengths": self.lengths} if self.lengths else told


@dataclass
class Report:
    """The findings of one model with one set of rows."""

    show: int = 3
    """Examples kept of each check, with their tokens."""
    rows: int = 0
    rendered: int = 0
    """Rows that can be rendered, and so were looked at token by token."""
    tokens: int = 0
    loss_tokens: int = 0
    longest: int = 0
    found: dict[tuple[str, Severity], Found] = field(default_factory=dict)

    def add(self, fault: Fault, row: str | None = None) -> None:
        """Count a fault of a row, or of the model (None)."""
        key = (fault.check, fault.severity)
        kind = self.found.setdefault(key, Found(*key))
        if row is not None and kind.rows[-1:] != [row]:
            kind.rows.append(row)
        if fault.length is not None:
            kind.lengths.append(fault.length)
        if len(kind.examples) < self.show:
            kind.examples.append(Finding(row, fault.message, fault.prove()))

    def of(self, severity: Severity) -> list[Found]:
        """What was found of one severity, in the order of the checks."""
        kinds = [kind for kind in self.found.values() if kind.severity == severity]
        return sorted(kinds, key=lambda kind: _ORDER[kind.check])

    @property
    def errors(self) -> list[Found]:
        """What stops a training."""
        return self.of("error")

    @property
    def clean(self) -> bool:
        """Nothing but notes."""
        return not self.errors and not self.of("warning")

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "clean": self.clean,
            "rows": self.rows,
            "rendered": self.rendered,
            "tokens": self.tokens,
            "loss_tokens": self.loss_tokens,
            "longest": self.longest,
            **{f"{severity}s": len(self.of(severity)) for severity in SEVERITIES},
            "findings": [kind.facts() for severity in SEVERITIES for kind in self.of(severity)],
        }
