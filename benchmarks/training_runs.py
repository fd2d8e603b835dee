"""The trainings that are compared: a plain loop of trl, and potstill's steps.

All train the same rows with the same optimizer, weights and checkpointing, a batch of the same
number of rows (a pack counts as the rows that it holds on average), and stop after the same number
of optimizer steps. The first steps are not timed: potstill takes its longest rows in them.
"""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from training_work import padded_share, peak_flops, training_flops

from potstill.pipeline.stage import Context
from potstill.train.rows.packing import pack, packing_metrics
from potstill.train.running.bench import Bench
from potstill.train.running.numerics import choose_numerics
from potstill.train.sft import Sft
from potstill.train.students.student import Student

UNTIMED_STEPS = 3

VARIANTS: dict[str, dict[str, Any]] = {
    "potstill": {},
    "potstill_flat": {"padding_free": True},
    "potstill_packed": {"packing": True},
}


@dataclass(frozen=True)
class Work:
    """What all variants train."""

    student: Student
    rows: pa.Table
    longest: int
    batch_size: int
    micro_batch: int
    steps: int
    device: str
    checkpointing: bool
    folder: Path


@dataclass
class Meter:
    """Tokens and seconds of the timed steps."""

    lengths: list[int] = field(default_factory=list)
    places: int = 0
    seconds: float = 0.0

    def watch(self, trainer: Any) -> None:
        """Count what a trainer computes, from its next step on."""
        from transformers import TrainerCallback

        meter, step = self, trainer.training_step
        begun: dict[str, float] = {}

        class Clock(TrainerCallback):  # type: ignore[misc]
            def on_step_begin(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
                begun["step"], begun["at"] = state.global_step, _now()

            def on_step_end(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
                if begun["step"] >= UNTIMED_STEPS:
                    meter.seconds += _now() - begun["at"]

        def counted(model: Any, inputs: dict[str, Any], *rest: Any) -> Any:
            if begun["step"] >= UNTIMED_STEPS:
                meter.lengths += row_lengths(inputs)
                meter.places += inputs["input_ids"].numel()
            return step(model, inputs, *rest)

        trainer.training_step = counted
        trainer.add_callback(Clock())


def row_lengths(inputs: dict[str, Any]) -> list[int]:
    """Tokens of each row of a padded or flat batch."""
    if "cu_seq_lens_q" in inputs:
        return [int(length) for length in inputs["cu_seq_lens_q"].diff().tolist()]
    return [int(length) for length in inputs["attention_mask"].sum(1).tolist()]


def measure(name: str, work: Work) -> dict[str, Any]:
    """One variant: rates, memory and padding of its timed steps."""
    import torch
    from transformers import PrinterCallback

    gc.collect()
    cuda = torch.cuda.is_available() and work.device != "cpu"
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    meter = Meter()
    with _trainer(name, work) as trainer:
        trainer.remove_callback(PrinterCallback)
        meter.watch(trainer)
        trainer.train()
        config = trainer.model.config
        parameters = trainer.model.num_parameters()
        attention = config._attn_implementation
    useful = sum(meter.lengths)
    flops = training_flops(config, parameters, meter.lengths) / meter.seconds
    peak = peak_flops(torch.cuda.get_device_name()) if cuda else None
    return {
        "variant": name,
        "attention": attention,
        "tokens_per_s": meter.places / meter.seconds,
        "useful_tokens_per_s": useful / meter.seconds,
        "padding": padded_share(meter.lengths, meter.places),
        "tflops": flops / 1e12,
        "mfu": flops / peak if peak else None,
        "peak_gib": torch.cuda.max_memory_allocated() / (1 << 30) if cuda else None,
        "timed_steps": work.steps - UNTIMED_STEPS,
    }


def _now() -> float:
    """Wall time on a GPU; on the CPU time of this process, since others may be busy beside it."""
    import torch

    if not torch.cuda.is_available():
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


@contextlib.contextmanager
def _trainer(name: str, work: Work) -> Iterator[Any]:
    if name == "plain_trl":
        yield _plain(work)
        return
    with _potstill(VARIANTS[name], work) as trainer:
        yield trainer


def _plain(work: Work) -> Any:
    """As trl's documentation shows it: padded batches in random order."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    cuda = torch.cuda.is_available() and work.device != "cpu"
    return SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(work.student.folder, dtype=torch.float32),
        args=SFTConfig(
            output_dir=str(work.folder / "plain"),
            max_length=work.longest,
            per_device_train_batch_size=work.micro_batch,
            gradient_accumulation_steps=work.batch_size // work.micro_batch,
            max_steps=work.steps,
            learning_rate=2e-5,
            bf16=cuda,
            use_cpu=not cuda,
            gradient_checkpointing=work.checkpointing,
            logging_steps=1,
            report_to="none",
            save_strategy="no",
            disable_tqdm=True,
        ),
        train_dataset=Dataset(work.rows),
        processing_class=work.student.tokenizer,
    )


@contextlib.contextmanager
def _potstill(own: dict[str, Any], work: Work) -> Iterator[Any]:
    rows, batch_size, micro_batch = work.rows, work.batch_size, work.micro_batch
    if own.get("packing"):
        rows = pack(work.rows, work.longest)
        per_pack = work.rows.num_rows / packing_metrics(rows, work.longest)["packs"]
        micro_batch = max(1, round(micro_batch / per_pack))
        batch_size = micro_batch * (work.batch_size // work.micro_batch)
    stage = Sft(
        data="rows",
        model=str(work.student.folder),
        batch_size=batch_size,
        micro_batch=micro_batch,
        max_steps=work.steps,
        gradient_checkpointing=work.checkpointing,
        device=work.device,
        **own,
    )
    context = Context("bench/student", work.folder, {}, {}, {}, {}, work.folder / "journal.sqlite")
    numerics = choose_numerics(stage, 1, 1)
    bench = Bench(stage, context, work.student, numerics, rows, work.folder / "potstill", main=True)
    with stage.open_trainer(bench) as trainer:
        yield trainer
