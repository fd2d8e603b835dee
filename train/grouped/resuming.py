"""Going on in the middle of a generation: completions that are still to be trained on are kept.

With `updates_per_generation` or `num_iterations` above 1, a checkpoint may fall between two
optimizer steps that train on one generation. trl keeps the completions in memory only and starts
counting anew (1.16), so a training that goes on would write others in their place. Here they lie
in the checkpoint, as tensors, one file for each process. A checkpoint that another number of
processes or micro-batches goes on from is of no use for that: then they are written again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def save_pending(checkpoint: Path, trainer: Any) -> None:
    """Keep what the next optimizer steps train on; nothing where they begin with a generation."""
    args = trainer.args
    if trainer._step % (args.steps_per_generation * args.num_iterations) == 0:
        return
    from safetensors.torch import save_file

    tensors = {
        f"{number}.{name}": tensor.contiguous()
        for number, batch in enumerate(trainer._buffered_inputs)
        for name, tensor in batch.items()
        if tensor is not None
    }
    # A scalar that all batches share would be refused as shared memory.
    copies = {name: tensor.clone() for name, tensor in tensors.items()}
    save_file(copies, checkpoint / _name(args.process_index), metadata=_shape(args))


def load_pending(checkpoint: Path, trainer: Any) -> None:
    """Bring `save_pending`'s work back, and trl's count of micro-batches."""
    args = trainer.args
    trainer._step = trainer.state.global_step * args.gradient_accumulation_steps
    file = checkpoint / _name(args.process_index)
    if not file.exists():
        return
    from safetensors import safe_open

    with safe_open(file, framework="pt", device=str(args.device)) as tensors:
        if tensors.metadata() != _shape(args):
            return
        batches: list[dict[str, Any]] = [{} for _ in range(args.steps_per_generation)]
        for name in tensors.keys():  # noqa: SIM118 - it is no dictionary
            number, _, field = name.partition(".")
            batches[int(number)][field] = tensors.get_tensor(name)
    trainer._buffered_inputs = batches


def _name(process: int) -> str:
    return f"pending-{process:03d}.safetensors"


def _shape(args: Any) -> dict[str, str]:
    """What must be equal for the tensors to fit; safetensors keeps texts only."""
    return {
        "processes": str(args.world_size),
        "micro_batch": str(args.per_device_train_batch_size),
        "batches": str(args.steps_per_generation),
    }
