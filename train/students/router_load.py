"""How evenly the experts of a mixture are used while it is trained.

The load of an expert is its share of the routed tokens, times the number of experts: 1 where all
are used alike. Per optimizer step and over all layers `router/max_load` (the busiest expert) and
`router/dead_share` (experts without a token) go into the trainer's log; layer by layer they stand
in `router.jsonl`, which is kept in each checkpoint and so survives a kill.

Counted are the routers' own choices, by forward hooks, in passes that gradients are wanted of:
without padding, and once where gradient checkpointing computes a layer a second time. (Not with
reentrant checkpointing, which trl uses for LoRA under DeepSpeed ZeRO-3: nothing is logged there.)
It only looks: losses that balance the load are the model's and trl's business (docs/students.md).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ...pipeline.shards import write_text

if TYPE_CHECKING:
    from torch import Tensor

ROUTER_LOG: Final = "router.jsonl"


def router_load_callbacks(trainer: Any, last: Path | None, main: bool) -> list[Any]:
    """One callback for a mixture of experts; none for a dense model.

    Args:
        last: the checkpoint that the training goes on from; None: it begins.
        main: whether this process writes.
    """
    from transformers import TrainerCallback

    model = trainer.accelerator.unwrap_model(trainer.model)
    routers = find_routers(model)
    if not routers:
        return []
    counter = LoadCounter(model, routers)
    lines = _lines(last)

    class RouterLoad(TrainerCallback):  # type: ignore[misc]  # transformers has no types here
        """Logs each step's load, and keeps the log in the checkpoints."""

        def on_step_end(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            loads = counter.take(trainer.accelerator)
            if not loads:
                return
            layers = {name: _summary(load) for name, load in loads.items()}
            lines.append(json.dumps({"step": state.global_step, "layers": layers}))
            for name, value in _overall(layers).items():
                trainer._metrics["train"][f"router/{name}"].append(value)  # trl's own way to log

        def on_save(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            if main and lines:
                folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
                write_text(folder / ROUTER_LOG, "\n".join(lines) + "\n")

        def on_train_end(self, args: Any, state: Any, control: Any, **facts: Any) -> None:
            counter.close()

    return [RouterLoad()]


def keep_router_log(checkpoint: Path, folder: Path) -> None:
    """Copy the log of the routers, if there are any, to where it stays."""
    if (checkpoint / ROUTER_LOG).exists():
        shutil.copyfile(checkpoint / ROUTER_LOG, folder / ROUTER_LOG)


def _lines(last: Path | None) -> list[str]:
    """What was logged up to a checkpoint."""
    file = None if last is None else last / ROUTER_LOG
    return file.read_text("utf-8").splitlines() if file is not None and file.exists() else []


def find_routers(model: Any) -> dict[str, Any]:
    """The routers of a model by name: what transformers itself records router logits of."""
    backbone = _unwrapped(model).base_model
    recorder = (getattr(backbone, "_can_record_outputs", None) or {}).get("router_logits")
    kind = getattr(recorder, "target_class", recorder)
    if kind is None:
        return {}
    return {name: module for name, module in backbone.named_modules() if isinstance(module, kind)}


class LoadCounter:
    """Counts the tokens that each router sends to each expert, on the device that it runs on."""

    def __init__(self, model: Any, routers: Mapping[str, Any]) -> None:
        self._counts: dict[str, Tensor] = {}
        self._mask: Tensor | None = None
        backbone = _unwrapped(model).base_model
        self._hooks = [backbone.register_forward_pre_hook(self._see_batch, with_kwargs=True)]
        for name, router in routers.items():
            self._hooks.append(router.register_forward_hook(self._hook(name, router)))

    def take(self, accelerator: Any) -> dict[str, list[float]]:
        """Loads by layer since the last call, of all processes together."""
        loads = {}
        for name, counts in self._counts.items():
            total = accelerator.reduce(counts, reduction="sum").float()
            loads[name] = (total * len(total) / total.sum().clamp(min=1)).tolist()
        self._counts = {}
        return loads

    def close(self) -> None:
        """Look no longer."""
        for hook in self._hooks:
            hook.remove()

    def _see_batch(self, module: Any, args: Any, kwargs: Mapping[str, Any]) -> None:
        mask = kwargs.get("attention_mask")
        self._mask = mask.flatten().bool() if mask is not None and mask.dim() == 2 else None

    def _hook(self, name: str, router: Any) -> Any:
        def count(module: Any, args: Any, output: Any) -> None:
            chosen = _choice(output)
            if chosen is None or not _is_first_pass():
                return
            if self._mask is not None and len(self._mask) == len(chosen):
                chosen = chosen[self._mask]
            if name not in self._counts:
                self._counts[name] = chosen.new_zeros(router.weight.shape[0])
            ids = chosen.flatten()
            self._counts[name].scatter_add_(0, ids, ids.new_ones(1).expand_as(ids))

        return count


def _choice(output: Any) -> Any:
    """The experts chosen for each token: the integers among what a router returns."""
    for tensor in output if isinstance(output, tuple) else ():
        if not tensor.is_floating_point():
            return tensor.detach()
    return None


def _is_first_pass() -> bool:
    """Whether a pass is one to learn from, and not a layer computed again in the backward pass."""
    from torch import is_grad_enabled
    from torch.utils.module_tracker import ModuleTracker

    return is_grad_enabled() and not ModuleTracker().is_bw


def _unwrapped(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _summary(load: list[float]) -> dict[str, float]:
    return {"max_load": max(load), "dead_share": load.count(0.0) / len(load)}


def _overall(layers: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The worst layer's busiest expert, and the mean share of dead ones."""
    rows = list(layers.values())
    return {
        "max_load": max(row["max_load"] for row in rows),
        "dead_share": sum(row["dead_share"] for row in rows) / len(rows),
    }
