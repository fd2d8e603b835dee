"""HumanEval through the code filter: its own solutions pass, and wrong versions of them fail."""

from collections import Counter

import pytest
from human_eval import FILE, is_right, problems, wrong_version

from potstill.filters.code import Code
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import new_sample

pytestmark = pytest.mark.skipif(not FILE.exists(), reason=f"{FILE.name} is not beside the project")


@pytest.fixture(scope="module")
def judge():
    with Code(cpu_seconds=5).open(JudgeContext(workers=2)) as judging:
        yield judging


def judged(judging, programs):
    completions = [f"<think>Hm.</think>\n\n```python\n{each}\n```" for each in programs]
    asked = zip(completions, problems(), strict=True)
    return judging.judge([new_sample((), completion=text, answer=p.key()) for text, p in asked])


def test_the_canonical_solutions_pass(judge):
    verdicts = judged(judge, [problem.solution for problem in problems()])
    failed = [
        (problem.task, verdict)
        for problem, verdict in zip(problems(), verdicts, strict=True)
        if (verdict.score, verdict.reason) != (1.0, "pass")
    ]
    assert not failed
    assert len(verdicts) == 164


@pytest.mark.slow
def test_a_wrong_version_of_each_fails(judge):
    mutants = [wrong_version(problem, number) for number, problem in enumerate(problems())]
    verdicts = judged(judge, [program for _, program in mutants])
    kept = [
        (problem.task, kind, verdict)
        for problem, (kind, _), verdict in zip(problems(), mutants, verdicts, strict=True)
        if verdict.score != 0.0
    ]
    assert not kept
    assert len(Counter(kind for kind, _ in mutants)) == 7  # every kind of change was tried


def test_the_plain_run_can_tell_right_from_wrong():
    problem = problems()[0]
    assert is_right(problem, problem.solution)
    assert not is_right(problem, problem.solution.replace("return True", "return False"))
