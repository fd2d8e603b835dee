"""Make the quickstart's three tiny models from nothing: a teacher and two early students.

    python -m potstill.recipes.quickstart.make_teacher

The teacher (Qwen2 shape) learns from worked traces with faults injected (`traces.py`), so it is
right often but not always, mixes languages, breaks its format and sometimes loops: what judging
is for. The students (Qwen2 and Llama shapes) learn from clean traces and are stopped early, so
that fine-tuning on selected teacher traces has something to raise. All data is drawn on the fly;
nothing is downloaded.

Seeds are fixed, yet weights differ between machines (kernels, thread counts): what was shipped
and measured is in each folder's README. Runs on a GPU if there is one, else on the CPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, Final

from potstill.recipes.quickstart import small_talk, training, vocabulary
from potstill.recipes.quickstart.cards import Made, write_card
from potstill.recipes.quickstart.measuring import Rate, rates
from potstill.recipes.quickstart.plans import PLANS, Plan
from potstill.recipes.quickstart.traces import (
    INSTRUCTIONS,
    Example,
    Trace,
    ask,
    clean_trace,
    drill,
    faulty_trace,
)
from potstill.stages.word_problems import Problem, draw_problem, problems

HERE: Final = Path(__file__).resolve().parent
VOCABULARY: Final = 1000
MEASURE_SEED: Final = 1001
PROBE_SEED: Final = 1002  # early stopping looks at other problems than the final measurement


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    import torch

    torch.set_num_threads(options.threads)
    options.out.mkdir(parents=True, exist_ok=True)
    rows = small_talk.write_general(options.out / "general.jsonl")
    print(f"general.jsonl: {rows} rows", flush=True)
    bpe = vocabulary.train_bpe(_corpus(), VOCABULARY)
    for name in options.models:
        make(PLANS[name], bpe, options.out, options.steps)


def make(plan: Plan, bpe: str, out: Path, steps: int | None) -> None:
    """Train, save, load what was saved, measure that, and write the card."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    began = time.monotonic()
    torch.manual_seed(plan.seed)
    tokenizer = vocabulary.make_tokenizer(bpe, plan.family)
    model = build(plan, tokenizer).to(training.device())
    print(f"{plan.name}: {model.num_parameters():,} parameters on {model.device}", flush=True)
    taken = learn(plan, model, tokenizer, steps)
    folder = out / plan.name
    training.save(model, tokenizer, folder)
    seconds = time.monotonic() - began
    shipped = AutoModelForCausalLM.from_pretrained(folder).to(training.device())
    loaded = AutoTokenizer.from_pretrained(folder)
    plain = measure(shipped, loaded, plan.temperature)
    solve = measure(shipped, loaded, plan.temperature, instructed=True)
    for key, rate in plain.items():
        print(f"  {key}: {rate}; with the instruction: {solve[key]}", flush=True)
    facts = Made(plan, model.num_parameters(), taken, seconds, model.device.type, plain, solve)
    write_card(folder, facts)


def learn(plan: Plan, model: Any, tokenizer: Any, steps: int | None) -> int:
    """Drills first where the plan has them, then stories; returns the steps of the latter."""
    batch = plan.schedule.batch
    if plan.drill_steps:
        drills = training.batches(tokenizer, _drawer(plan, drill_share=1.0), batch, plan.seed)
        alone = training.Schedule(steps or plan.drill_steps)
        training.train(model, drills, alone)
    stories = training.batches(tokenizer, _drawer(plan, plan.drill_share), batch, plan.seed + 100)
    schedule = replace(plan.schedule, steps=steps or plan.schedule.steps)
    return training.train(model, stories, schedule, _stopper(plan, model, tokenizer))


def build(plan: Plan, tokenizer: Any) -> Any:
    """A randomly initialised model of the plan's shape, wired to the tokenizer's special tokens."""
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    llama = plan.family is vocabulary.LLAMA
    shape = plan.shape
    config = (LlamaConfig if llama else Qwen2Config)(
        vocab_size=-(-len(tokenizer) // 64) * 64,  # a round number of rows: faster kernels
        hidden_size=shape["hidden"],
        intermediate_size=shape["inner"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["kv_heads"],
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        initializer_range=0.05,  # for a width of 128; 0.02 is for large models
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        dtype="float32",
    )
    model = (LlamaForCausalLM if llama else Qwen2ForCausalLM)(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.set_attn_implementation("eager")
    return model


def measure(
    model: Any,
    tokenizer: Any,
    temperature: float,
    seed: int = MEASURE_SEED,
    rows: int = 400,
    instructed: bool = False,
) -> dict[str, Rate]:
    """Rates on held-out problems, one completion each; asked plainly or as `prompt: solve` does."""
    asked = list(problems(rows, seed, split="heldout"))
    prompts = [[{"role": "user", "content": _question(each, instructed)}] for each in asked]
    texts = training.sample(model, tokenizer, prompts, temperature, seed)
    return rates(texts, asked)


def _question(problem: Problem, instructed: bool) -> str:
    instruction = f"\n{INSTRUCTIONS[problem.language][0]}" if instructed else ""
    return f"{problem.question}{instruction}"


def _drawer(plan: Plan, drill_share: float) -> Callable[[Random], Example]:
    general = small_talk.general_rows()

    def draw(rng: Random) -> Example:
        way = rng.random()
        if way < drill_share:
            return drill(rng)
        if way < drill_share + plan.general_share:
            row = rng.choice(general)
            return [{"role": "user", "content": row["prompt"]}], ((row["completion"], True),), True
        problem = draw_problem(rng, rng.choice(("en", "zh")), "train")
        trace: Trace = faulty_trace(problem, rng) if plan.faulty else clean_trace(problem)
        return ask(problem, rng), trace.pieces, trace.ended

    return draw


def _stopper(plan: Plan, model: Any, tokenizer: Any) -> Callable[[int], bool]:
    """Looks at a probe of held-out problems now and then; stops an early checkpoint on time."""

    def stop(step: int) -> bool:
        if plan.stop_at is None or step < plan.probe_from:
            return False
        right = measure(model, tokenizer, plan.temperature, PROBE_SEED, rows=200)["right"]
        print(f"  right on the probe: {right}", flush=True)
        return right.share >= plan.stop_at

    return stop


def _corpus() -> list[str]:
    """Everything a tokenizer should know: questions, traces in both languages, chat."""
    rng = Random(0)
    texts = [row["prompt"] + "\n" + row["completion"] for row in small_talk.general_rows()] * 3
    texts += [sentence for group in INSTRUCTIONS.values() for sentence in group] * 20
    for problem in problems(4000, seed=0):
        texts += [problem.question, faulty_trace(problem, rng).text]
    return texts


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make the quickstart's tiny models.")
    parser.add_argument("models", nargs="*", default=list(PLANS), help=f"of {', '.join(PLANS)}")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write into")
    parser.add_argument("--threads", type=int, default=1, help="torch threads; two gain little")
    parser.add_argument("--steps", type=int, help="override the steps, for a trial")
    options = parser.parse_args(arguments)
    if unknown := set(options.models) - set(PLANS):
        parser.error(f"unknown models {sorted(unknown)}; expected of {', '.join(PLANS)}")
    return options


if __name__ == "__main__":
    main()
