"""A program is put to the test: every case of a key, through a sandbox, to an outcome each.

    calls     all cases in one process: `called_cases.py`
    stdio     a process for each case: `printed_cases.py`
    asserts   what could be rewritten as calls; the rest inside, as one case more

Where only the passing of all counts, the first failure ends it. A sandbox that fails raises: then
nothing is known of the whole program.
"""

from __future__ import annotations

from dataclasses import replace

from .asserts import rewritten
from .called_cases import CalledCases, asserted_inside, question_of
from .checks import AssertsCheck, CallsCheck, Check, StdioCheck
from .outcomes import Rules, Trial
from .printed_cases import printed_outcomes
from .runs import Runs


def try_program(code: str, check: Check, rules: Rules, runs: Runs, room_kb: int) -> Trial:
    """Try a program on the cases of its key.

    Args:
        room_kb: what the expected values may take on their way out, beside the usual limit.

    Raises:
        SandboxFault: the sandbox failed.
        RunnerMissing: the language or the task cannot be run here.
    """
    rules = _rules_of(check, rules)
    if isinstance(check, StdioCheck):
        return Trial(printed_outcomes(code, check, rules, runs), len(check.cases))
    if isinstance(check, AssertsCheck):
        return _asserted(code, check, rules, runs, room_kb)
    questions = [question_of(case, rules.float_tolerance) for case in check.cases]
    called = CalledCases(code, check.entry_point, runs, rules.score, room_kb)
    return Trial(called.outcomes(questions), len(questions))


def _rules_of(check: CallsCheck | StdioCheck | AssertsCheck, rules: Rules) -> Rules:
    """The rules of a config with those that the key brings."""
    if check.float_tolerance is not None:
        rules = replace(rules, float_tolerance=check.float_tolerance)
    if isinstance(check, StdioCheck) and check.whitespace is not None:
        rules = replace(rules, whitespace=check.whitespace)
    return rules


def _asserted(code: str, check: AssertsCheck, rules: Rules, runs: Runs, room_kb: int) -> Trial:
    parts = rewritten(check)
    questions = [question_of(case, rules.float_tolerance) for case in parts.cases]
    called = CalledCases(code + parts.appended, parts.entry_point, runs, rules.score, room_kb)
    outcomes = called.outcomes(questions)
    if parts.inside is None:
        return Trial(outcomes, len(questions))
    if rules.score == "share" or not any(outcomes):
        outcomes.append(asserted_inside(code, check.entry_point, parts.inside, runs))
    return Trial(outcomes, len(questions) + 1, in_process=True)
