"""Tokens/s of supervised fine-tuning: a plain loop of trl with padding, and potstill.

    .venv/bin/python benchmarks/train.py                    # a Qwen2.5-1.5B shape, on a GPU
    .venv/bin/python benchmarks/train.py --shape tiny       # seconds, on the CPU

The weights are random, the tokens too: what is measured does not depend on them. Useful tokens are
those of rows; MFU counts only them, and nothing that is computed twice. Machines are noisy: rounds
are interleaved, and the best of each variant counts. docs/performance.md tells what was measured.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from potstill.train.running.numerics import quiet_environment

quiet_environment()

from training_runs import UNTIMED_STEPS, VARIANTS, Work, measure  # noqa: E402
from training_work import SHAPES, Shape, made_rows  # noqa: E402

from potstill.recipes.quickstart.vocabulary import QWEN, make_tokenizer, train_bpe  # noqa: E402
from potstill.train.students.student import open_student  # noqa: E402

PLAIN = "plain_trl"
ROWS = 20
"""Times as many as are trained on, so that the longest, which are not timed, are few of them."""


def save_student(folder: Path, shape: Shape) -> None:
    """A model of a shape with random weights, and a small tokenizer."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = make_tokenizer(train_bpe(["What is 3 + 4?"] * 2, 300), QWEN)
    tokenizer.save_pretrained(folder)
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        model = Qwen2ForCausalLM(Qwen2Config(**shape.config))
    model.to(torch.bfloat16).save_pretrained(folder)


def make_work(options: argparse.Namespace, folder: Path) -> Work:
    """Rows and a student, as the options ask."""
    shape = SHAPES[options.shape]
    longest = options.longest or shape.longest
    student = folder / "student"
    save_student(student, shape)
    count = ROWS * options.batch * options.steps
    return Work(
        student=open_student(student, str(student)),
        rows=made_rows(count, longest, shape.config["vocab_size"]),
        longest=longest,
        batch_size=options.batch,
        micro_batch=options.micro_batch,
        steps=options.steps,
        device=options.device,
        checkpointing=not options.no_checkpointing,
        folder=folder,
    )


def environment(device: str) -> dict[str, Any]:
    """What a figure belongs to."""
    import torch

    cuda = torch.cuda.is_available() and device != "cpu"
    names = ("torch", "transformers", "trl", "accelerate")
    return {
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "threads": torch.get_num_threads(),
        **{name: version(name) for name in names},
    }


def show(row: Mapping[str, Any], as_json: bool) -> None:
    """One line; what is not known is a dash."""
    if as_json:
        print(json.dumps(row), flush=True)
        return
    shown = (
        f"{name} {'-' if value is None else f'{value:,.3g}' if isinstance(value, float) else value}"
        for name, value in row.items()
    )
    print(" · ".join(shown), flush=True)


def parsed() -> argparse.Namespace:
    """The options, checked."""
    parser = argparse.ArgumentParser(description="Tokens/s of supervised fine-tuning.")
    parser.add_argument("variants", nargs="*", help=f"default: {PLAIN} {' '.join(VARIANTS)}")
    parser.add_argument("--shape", choices=SHAPES, default="qwen2.5-1.5b")
    parser.add_argument("--steps", type=int, default=12, help="optimizer steps of each variant")
    parser.add_argument("--batch", type=int, default=32, help="rows of an optimizer step")
    parser.add_argument("--longest", type=int, help="tokens of the longest rows")
    parser.add_argument("--micro-batch", type=int, default=8, help="rows of a forward pass")
    parser.add_argument("--rounds", type=int, default=1, help="of all variants; the best counts")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--no-checkpointing", action="store_true", help="keep all activations")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.variants) - {PLAIN, *VARIANTS}:
        parser.error(f"no variant {', '.join(sorted(unknown))}")
    if options.steps <= UNTIMED_STEPS or options.batch % options.micro_batch:
        parser.error(f"more than {UNTIMED_STEPS} steps, and a batch of whole micro-batches")
    return options


def main() -> None:
    import torch

    options = parsed()
    if not torch.cuda.is_available():
        torch.set_num_threads(1)  # so that time of the process is time of the work
    show(environment(options.device), options.json)
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(options, Path(folder))
        variants = options.variants or [PLAIN, *VARIANTS]
        rounds = [{name: measure(name, work) for name in variants} for _ in range(options.rounds)]
    best = {
        name: max((found[name] for found in rounds), key=lambda row: row["useful_tokens_per_s"])
        for name in variants
    }
    plain = best.get(PLAIN, {}).get("useful_tokens_per_s")
    for row in best.values():
        against = row["useful_tokens_per_s"] / plain if plain else None
        show({**row, "times_plain": against}, options.json)


if __name__ == "__main__":
    main()
