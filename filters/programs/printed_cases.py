"""Cases that are input and output: a process for each, which must end well and print what it must.

One that printed all that was expected and then failed has failed. Nothing of a process is left for
the next case.
"""

from __future__ import annotations

from ..sandbox.execution import Report, Script
from .checks import StdioCase, StdioCheck
from .evidence import beginning, ending
from .outcomes import Outcome, Rules
from .printed import Difference, difference
from .reports import Failed, ended_badly
from .runs import Runs


def printed_outcomes(code: str, check: StdioCheck, rules: Rules, runs: Runs) -> list[Outcome]:
    """An outcome for each case; up to the first failure, where all have to pass."""
    outcomes: list[Outcome] = []
    for case in check.cases:
        room_kb = 1 + (len(case.stdout.encode("utf-8", "replace")) >> 10)
        report = runs.report(code, Script(case.stdin), room_kb)
        outcomes.append(_outcome(report, case, rules))
        if outcomes[-1] is not None and rules.score == "all":
            break
        left = len(check.cases) - len(outcomes)
        given_up = runs.given_up(outcomes[-1])
        if given_up is not None:
            return outcomes + [given_up] * left
    return outcomes


def _outcome(report: Report, case: StdioCase, rules: Rules) -> Outcome:
    failed = ended_badly(report)
    if failed is not None:
        told = ending(report.stderr)
        return Failed(failed.reason, failed.detail | ({"stderr": told} if told else {}))
    found = difference(report.stdout, case.stdout, rules.whitespace, rules.float_tolerance)
    return None if found is None else _wrong(found)


def _wrong(found: Difference) -> Failed:
    got = None if found.got is None else beginning(found.got)
    return Failed("wrong", {"line": found.line, "stdout": got, "lines": found.lines})
