"""How fast the math filter judges, as a ratio to plain math-verify on the same rows.

    .venv/bin/python benchmarks/judge_math.py [ROUNDS]

The plain loop is `parse(key)`, `parse(completion)`, `verify` with math-verify's defaults, in this
process; potstill judges with one worker process, then with two. Arms take turns in every round;
before each, math-verify's and sympy's caches are cleared or the workers are new, and both are warm
(imports done, grammar built). Rows are those of `math_problems.py`. Verdicts that differ are listed
by cause, with the reason why potstill's is right.
"""

from __future__ import annotations

import re
import statistics
import sys
import time

from math_problems import rows

from potstill.filters.math import MathAnswer
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Sample, new_sample

WARM_ROWS = 8


def plain(samples: list[Sample]) -> list[bool]:
    """math-verify as it is usually called."""
    from math_verify import parse, verify

    return [
        bool(verify(parse(f"${sample.answer}$"), parse(sample.completion or "")))
        for sample in samples
    ]


def clear_caches() -> None:
    """math-verify's three parser caches and sympy's."""
    from math_verify import parser
    from sympy.core.cache import clear_cache  # type: ignore[import-untyped]

    for name in ("parse_latex_cached", "parse_expr_cached", "extract_latex"):
        getattr(parser, name).cache_clear()
    clear_cache()


def time_plain(samples: list[Sample]) -> tuple[float, list[bool]]:
    plain(_warm_rows())
    clear_caches()
    began = time.perf_counter()
    verdicts = plain(samples)
    return time.perf_counter() - began, verdicts


def time_ours(samples: list[Sample], workers: int) -> tuple[float, list[bool]]:
    """New workers remember nothing; a few other rows start them and load what they import."""
    with MathAnswer().open(JudgeContext(workers=workers)) as judge:
        judge.judge(_warm_rows() * workers * 8)
        began = time.perf_counter()
        verdicts = judge.judge(samples)
        return time.perf_counter() - began, [verdict.score == 1.0 for verdict in verdicts]


def _warm_rows() -> list[Sample]:
    return [
        new_sample((), completion=rf"<think>a</think>\boxed{{{n}\sqrt{{2}}}}", answer=f"{n}+\\pi")
        for n in range(WARM_ROWS)
    ]


def main() -> int:
    """Print rows a second, ratios, repetition and the verdicts that differ."""
    samples = rows()
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    times: dict[str, list[float]] = {"plain": [], "one": [], "two": []}
    for _ in range(rounds):
        seconds, theirs = time_plain(samples)
        times["plain"].append(seconds)
        for name, workers in (("one", 1), ("two", 2)):
            seconds, ours = time_ours(samples, workers)
            times[name].append(seconds)
    middle = {name: statistics.median(values) for name, values in times.items()}
    print(f"{len(samples)} rows, {_repetition(samples)}")
    for name, seconds in middle.items():
        print(f"{name:6} {len(samples) / seconds:8,.0f} rows/s")
    print(f"one worker over the plain loop: {middle['plain'] / middle['one']:.1f}")
    print(f"two workers over the plain loop: {middle['plain'] / middle['two']:.1f}")
    print(f"two workers over one: {middle['one'] / middle['two']:.2f}")
    _print_changes(samples, theirs, ours)
    return 0


def _repetition(samples: list[Sample]) -> str:
    pairs = {(sample.answer, _raw_conclusion(sample)) for sample in samples}
    return f"{len(pairs)} different (key, answer) pairs"


CAUSES = [
    (r"\d\.$", "a full stop after an integer changes nothing; math-verify does not parse it"),
    (r"dollars$", "18 dollars are 18; math-verify takes dollars for a product of letters"),
    (r"(?:<|\\le)", "an inequality says the same as its interval; verify() accepts it only as key"),
]
"""What an answer looks like, and why potstill accepts it where math-verify does not."""


def _print_changes(samples: list[Sample], theirs: list[bool], ours: list[bool]) -> None:
    changed = [
        (sample, one)
        for sample, one, other in zip(samples, ours, theirs, strict=True)
        if one != other
    ]
    print(f"verdicts that differ: {len(changed)}")
    for sample, one in changed:
        answer = _raw_conclusion(sample)
        why = next((text for form, text in CAUSES if re.search(form, answer)), "NOT DEFENDED")
        print(f"  potstill {'right' if one else 'wrong'}: {sample.answer} | {answer} | {why}")


def _raw_conclusion(sample: Sample) -> str:
    """What stands in the box, by counting braces."""
    text, depth = (sample.completion or "").rpartition("boxed{")[2], 1
    for at, sign in enumerate(text):
        depth += (sign == "{") - (sign == "}")
        if not depth:
            return text[:at]
    return text


if __name__ == "__main__":
    sys.exit(main())
