"""HumanEval's asserts, as calls and as they stand, say the same of right and of wrong programs."""

from __future__ import annotations

import random

import pytest
from human_eval import CHANGES, FILE, Problem, mutants_of, problems
from plain_runs import asserts_hold, passes

from potstill.filters.programs.accepting import accepting_program
from potstill.filters.programs.asserts import Rewritten, rewritten
from potstill.filters.programs.checks import AssertsCheck

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the project")

IN_PART = {33, 53}
"""The rest compares two results of the program, or draws its arguments by lot."""
INSIDE = {32, 38, 50}
"""Every case is drawn by lot, with the program's own functions."""
MUTANTS = 40


def asked(problem: Problem) -> Rewritten:
    return rewritten(AssertsCheck(problem.entry_point, problem.test))


def test_most_are_judged_outside() -> None:
    found = dict(enumerate(map(asked, problems())))
    left = {number for number, each in found.items() if each.inside is not None}
    assert left == IN_PART | INSIDE
    assert {number for number, each in found.items() if not each.cases} == INSIDE
    assert sum(len(each.cases) for each in found.values()) == 1131


@pytest.mark.slow
def test_accepting_programs_pass() -> None:
    made = [accepting_program(AssertsCheck(each.entry_point, each.test)) for each in problems()]
    assert sum(program is None for program in made) == 6  # those above, and one that converts
    failed = [
        problem.task
        for problem, program in zip(problems(), made, strict=True)
        if program is not None and not passes(program, problem.entry_point, asked(problem))
    ]
    assert failed == []


@pytest.mark.slow
def test_programs_get_the_verdict_of_the_plain_asserts() -> None:
    chosen = random.Random(5)
    verdicts = []
    for problem in chosen.sample(problems(), MUTANTS):
        mutants = [each for kind in CHANGES for each in mutants_of(problem, kind)]
        for program in (problem.solution, chosen.choice(mutants)):
            plain = asserts_hold(program, problem.entry_point, problem.test)
            assert passes(program, problem.entry_point, asked(problem)) == plain, program
            verdicts.append(plain)
    assert verdicts.count(True) >= MUTANTS  # a mutant may be right
    assert verdicts.count(False) > MUTANTS // 2
