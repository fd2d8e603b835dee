"""How fast the math filter judges, as a ratio to plain math-verify on the same rows.

    .venv/bin/python benchmarks/math_rate.py [ROWS]

Both see the same completions in the same process tree, interleaved in three rounds with their
caches cleared between rounds; verdicts are compared row by row. Rows are worked word problems, half
of them with a wrong answer: easy keys, as GSM8K's are. It says nothing about symbolic answers.
"""

from __future__ import annotations

import sys
import time

from potstill.filters import MathAnswer
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Message, Sample, new_sample, with_ids
from potstill.stages.word_problems import problems, worked_solution

ROUNDS = 3


def rows(count: int) -> list[Sample]:
    """Completions of which every second one answers with its key plus one."""
    made = []
    for number, problem in enumerate(problems(count, seed=1)):
        key = str(problem.answer + number % 2)
        text = worked_solution(problem)
        made.append(new_sample((Message("user", problem.question),), completion=text, answer=key))
    return list(with_ids(made))


def naive(samples: list[Sample]) -> list[bool]:
    """parse(key), parse(text after </think>), verify: math-verify as it is usually called."""
    from math_verify import parse, verify

    return [
        bool(verify(parse(f"${s.answer}$"), parse((s.completion or "").rpartition("</think>")[2])))
        for s in samples
    ]


def main() -> int:
    """Print rows a second of both, the ratio, and how many verdicts differ."""
    samples = rows(int(sys.argv[1]) if len(sys.argv) > 1 else 600)
    ours_s = theirs_s = 0.0
    for _ in range(ROUNDS):
        with MathAnswer().open(JudgeContext(workers=1)) as judge:  # a new judge remembers nothing
            began = time.perf_counter()
            ours = [verdict.score == 1.0 for verdict in judge.judge(samples)]
            ours_s += time.perf_counter() - began
        began = time.perf_counter()
        theirs = naive(samples)
        theirs_s += time.perf_counter() - began
    count = ROUNDS * len(samples)
    different = sum(a != b for a, b in zip(ours, theirs, strict=True))
    print(f"potstill {count / ours_s:,.0f} rows/s, math-verify {count / theirs_s:,.0f} rows/s")
    print(f"ratio {theirs_s / ours_s:.1f}, verdicts that differ: {different} of {len(samples)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
