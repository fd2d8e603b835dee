"""How much of raw `vllm.LLM.generate` a `generate` step keeps: tokens a second, as a ratio.

    .venv/bin/python benchmarks/engine_rate.py [--problems 400] [--samples 4] [--rounds 6] [--json]

All sides run on one and the same engine in one process, in interleaved rounds, with the prefix
cache emptied before each: same prompts, same engine arguments, same seeds per request.
`LLM.generate` gets token ids, all at once, and renders nothing. The step renders, buys, commits
each completion to a journal of its own and writes the dataset; `judged` also judges format,
language and math beside the engine. `--engine-args` takes JSON. On a machine that others use too,
look at the fastest rounds: all sides take the same engine steps.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from potstill.filters import FILTERS
from potstill.models.chat import RenderedPrompt
from potstill.models.engine_args import complete
from potstill.models.local_model import LocalModel, open_local_model
from potstill.models.order import Order, Tier
from potstill.models.prompts import Asking
from potstill.models.questions import Questions
from potstill.models.request import Keys, Request, TeacherIdentity
from potstill.models.sampling import Sampling
from potstill.models.teacher import LocalTeacher
from potstill.models.vllm_teacher import VllmTeacher, set_environment
from potstill.pipeline.filter import Filter
from potstill.pipeline.sample import Message, new_sample
from potstill.pipeline.stage import Context
from potstill.stages.sampled import Sampling as Sampled
from potstill.stages.sampled import sample_problems
from potstill.stages.word_problems import problems

SAMPLING = Sampling(temperature=0.8, top_p=0.95, max_tokens=192, seed=1)
JUDGES: dict[str, Filter] = {name: FILTERS[name]() for name in ("format", "language", "math")}
TEACHER = Path(__file__).resolve().parent.parent / "recipes" / "quickstart" / "teacher"


class Rate(NamedTuple):
    """One round of one side."""

    tokens_per_second: float
    outside: float
    """Share of this thread's CPU time that was not spent in the engine's steps."""
    steps: int


class Steps:
    """Counts an engine's steps and the CPU seconds that the calling thread spends in them."""

    def __init__(self, engine: Any) -> None:
        self.number, self.seconds = 0, 0.0
        self._step = engine.step
        engine.step = self

    def __call__(self) -> Any:
        began = time.thread_time()
        try:
            return self._step()
        finally:
            self.seconds += time.thread_time() - began
            self.number += 1


def main() -> int:
    """Print tokens a second of both sides and their ratio, or all of it as JSON."""
    options = _options()
    config = LocalTeacher(model=str(TEACHER), engine_args=json.loads(options.engine_args))
    set_environment(config)
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    model = open_local_model(TEACHER, None, {})
    llm = _open_raw(model, config)
    asked = _requests(options.problems, options.samples)
    prompts = [_tokens(model, each) for each in asked]
    teacher = VllmTeacher(llm.llm_engine, model, None)
    sides: dict[str, Callable[[], int]] = {
        "raw": lambda: _run_raw(llm, prompts, asked),
        "step": lambda: _run_step(teacher, options, {}),
        "judged": lambda: _run_step(teacher, options, JUDGES),
    }
    steps = Steps(llm.llm_engine)
    rates: dict[str, list[Rate]] = {side: [] for side in sides}
    for number in range(options.rounds + 1):  # A B C, C B A …: what drifts hits all
        for side in sorted(sides, reverse=bool(number % 2)):
            llm.llm_engine.reset_prefix_cache()
            rate = _timed(sides[side], steps)
            if number:  # the first round warms up
                rates[side].append(rate)
    _report(rates, asked, options)
    return 0


def _timed(run: Callable[[], int], steps: Steps) -> Rate:
    steps.number, steps.seconds = 0, 0.0
    wall, own = time.perf_counter(), time.thread_time()
    tokens = run()
    wall, own = time.perf_counter() - wall, time.thread_time() - own
    return Rate(tokens / wall, 1 - steps.seconds / own, steps.number)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--problems", type=int, default=400)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--engine-args", default="{}")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _open_raw(model: LocalModel, config: LocalTeacher) -> Any:
    from vllm import LLM, EngineArgs
    from vllm.platforms import current_platform

    names = [field.name for field in dataclasses.fields(EngineArgs)]
    given = complete(config.engine_args, names, model.context, current_platform.is_cpu())
    return LLM(model=str(TEACHER), max_model_len=model.context, **given)


def _order(number: int, samples: int) -> Order:
    rows = [
        new_sample((Message("user", each.question),), answer=str(each.answer), language="en")
        for each in problems(number, seed=7)
    ]
    keys = Keys(TeacherIdentity("teacher", "", {}), SAMPLING, {}, {})
    tiers = (Tier(TeacherIdentity("teacher", "", {}), keys, samples),)
    return Order(lambda: ((row, {}) for row in rows), number, Questions(Asking()), tiers)


def _requests(number: int, samples: int) -> list[Request]:
    order = _order(number, samples)
    return [attempt.request for attempts in order.attempts() for attempt in attempts]


def _tokens(model: LocalModel, request: Request) -> dict[str, Any]:
    prompt = model.prompt(request)
    assert isinstance(prompt, RenderedPrompt), prompt
    return {"prompt_token_ids": prompt.token_ids}


def _run_raw(llm: Any, prompts: Sequence[dict[str, Any]], asked: Sequence[Request]) -> int:
    from vllm import SamplingParams

    params = [
        SamplingParams(
            temperature=each.sampling.temperature,
            top_p=each.sampling.top_p,
            max_tokens=each.sampling.max_tokens,
            seed=each.seed,
        )
        for each in asked
    ]
    outputs = llm.generate(prompts, params, use_tqdm=False)
    return sum(len(output.outputs[0].token_ids) for output in outputs)


class Opened:
    """Stands for `Opening`: the engine runs already."""

    config = LocalTeacher(model=str(TEACHER))
    samplings = (SAMPLING,)

    def __init__(self, teacher: VllmTeacher) -> None:
        self.open = lambda: contextlib.nullcontext(teacher)

    def check(self) -> None:
        """Nothing to refuse."""


def _run_step(teacher: VllmTeacher, options: argparse.Namespace, filters: dict[str, Filter]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        context = Context(
            step="bench/traces",
            out=Path(folder) / "traces",
            inputs={},
            filters=filters,
            paths={},
            digests={},
            journal=Path(folder) / "journal.sqlite",
        )
        order = _order(options.problems, options.samples)
        thresholds = dict.fromkeys(filters, 1.0)
        opened: Any = Opened(teacher)
        tally = sample_problems(context, Sampled(order, [opened], thresholds))
    return int(tally.metrics()["completion_tokens"])


def _report(
    rates: dict[str, list[Rate]], asked: Sequence[Request], options: argparse.Namespace
) -> None:
    speeds = {side: [each.tokens_per_second for each in of] for side, of in rates.items()}
    medians = {side: statistics.median(each) for side, each in speeds.items()}
    fastest = {side: max(each) for side, each in speeds.items()}
    pairs = zip(speeds["raw"], speeds["step"], strict=True)
    outside = {side: statistics.median(e.outside for e in of) for side, of in rates.items()}
    taken = {side: sorted({each.steps for each in of}) for side, of in rates.items()}
    facts = {
        "requests": len(asked),
        "samples_per_problem": options.samples,
        "engine_args": json.loads(options.engine_args),
        "tokens_per_second": {side: round(rate) for side, rate in medians.items()},
        "fastest": {side: round(rate) for side, rate in fastest.items()},
        "ratio": round(medians["step"] / medians["raw"], 3),
        "ratio_of_fastest": round(fastest["step"] / fastest["raw"], 3),
        "ratio_by_round": sorted(round(step / raw, 3) for raw, step in pairs),
        "ratio_judged": round(medians["judged"] / medians["raw"], 3),
        "ratio_judged_of_fastest": round(fastest["judged"] / fastest["raw"], 3),
        "outside_engine": {side: round(share, 4) for side, share in outside.items()},
        "steps": taken,
    }
    if options.json:
        print(json.dumps(facts))
        return
    for side in rates:
        print(
            f"{side:8} {medians[side]:,.0f} tokens/s, fastest {fastest[side]:,.0f}; "
            f"{outside[side]:.1%} of its time outside the engine, steps {taken[side]}"
        )
    for name in ("ratio", "ratio_of_fastest", "ratio_judged", "ratio_judged_of_fastest"):
        print(f"{name} {facts[name]}")


if __name__ == "__main__":
    sys.exit(main())
