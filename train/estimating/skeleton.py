"""A student without numbers: every tensor's shape and dtype, and not a byte of weights.

transformers builds the model and peft its adapters on torch's meta device, so parameters are
counted and not estimated, whatever the architecture. Run through `traced`, the skeleton says what
autograd keeps and how many operations it takes, by torch's own counters on tensors that have a
shape only: no formula that holds for one family of models alone.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from ..running.numerics import Numerics
from ..settings import TrainingSettings
from ..students.adapters import peft_config
from ..students.student import Student


def skeleton(student: Student, settings: TrainingSettings, numerics: Numerics) -> Any:
    """The causal language model that would be trained, adapters on, on the meta device.

    Raises:
        RequestError: LoRA targets that the model does not have.
    """
    import torch
    from transformers import AutoModelForCausalLM

    config = copy.deepcopy(student.config)
    if student.vocabulary is not None:
        config.get_text_config().vocab_size = student.vocabulary
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(
            config, dtype=getattr(torch, numerics.weights), attn_implementation=_kind(settings)
        )
        adapters = peft_config(settings.lora, model, student.changes.trained)
        if adapters is not None:
            from peft import get_peft_model

            model = get_peft_model(model, adapters)
    return model.train()


@dataclass(frozen=True)
class Parameters:
    """Numbers of parameters; tied ones count once."""

    total: int
    trained: int
    bytes: int
    """Of all, in the dtypes that they have while training."""
    trained_bytes: int

    @staticmethod
    def of(model: Any) -> Parameters:
        """Count those of a skeleton."""
        every = list(model.parameters())
        trained = [each for each in every if each.requires_grad]
        return Parameters(
            sum(each.numel() for each in every),
            sum(each.numel() for each in trained),
            sum(each.numel() * each.element_size() for each in every),
            sum(each.numel() * each.element_size() for each in trained),
        )


@dataclass(frozen=True)
class Traced:
    """One micro-batch through the layers of a skeleton, without its output head."""

    kept_bytes: int
    """What autograd keeps for the backward pass, beside the parameters."""
    forward: int
    """Floating-point operations; attention counted in full, though half of it is masked."""
    backward: int


def traced(model: Any, rows: int, length: int, *, bfloat16: bool) -> Traced:
    """Run a skeleton forward and backward on shapes, with the mask that padded rows need.

    Args:
        bfloat16: under autocast, as trainers do it for `bf16=True`.

    Raises:
        RuntimeError, NotImplementedError: torch knows no shape for an operation of this model.
    """
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.utils.flop_counter import FlopCounterMode

    layers = _layers(model)
    with FakeTensorMode(), FlopCounterMode(display=False, custom_mapping=_attention()) as counter:
        tensors = {
            name: torch.empty(each.shape, dtype=each.dtype, requires_grad=each.requires_grad)
            for name, each in [*layers.named_parameters(), *layers.named_buffers()]
        }
        kept = _Kept(tensors.values())
        given = {
            "input_ids": torch.zeros(rows, length, dtype=torch.long),
            "attention_mask": torch.ones(rows, length, dtype=torch.long),
            "use_cache": False,
        }
        with kept.counted(), torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            made = torch.func.functional_call(layers, tensors, kwargs=given)
        forward = counter.get_total_flops()
        made.last_hidden_state.sum().backward()
    return Traced(kept.bytes, forward, counter.get_total_flops() - forward)


class _Kept:
    """Storages that autograd saved, each once, but those of the parameters."""

    def __init__(self, parameters: Any) -> None:
        self._parameters = {each.untyped_storage()._cdata for each in parameters}
        self._storages: dict[int, Any] = {}  # held, or their numbers would be given out again

    def counted(self) -> Any:
        """A block whose saved tensors are counted."""
        import torch

        return torch.autograd.graph.saved_tensors_hooks(self._note, lambda tensor: tensor)

    @property
    def bytes(self) -> int:
        return sum(storage.nbytes() for storage in self._storages.values())

    def _note(self, tensor: Any) -> Any:
        storage = tensor.untyped_storage()
        if storage._cdata not in self._parameters:
            self._storages[storage._cdata] = storage
        return tensor


def _kind(settings: TrainingSettings) -> str:
    """Flash attention and its like keep what sdpa keeps; eager keeps all scores."""
    return "eager" if settings.attention == "eager" else "sdpa"


def _layers(model: Any) -> Any:
    """The decoder below the output head, adapters on it."""
    whole = model.get_base_model() if hasattr(model, "peft_config") else model
    return whole.base_model


def _attention() -> dict[Any, Any]:
    """FLOPs of the CPU's flash attention, which torch's counter leaves out (2.13)."""
    import torch
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    def forward(query: Any, key: Any, value: Any, *rest: Any, **named: Any) -> int:
        return int(sdpa_flop_count(query, key, value))

    def backward(gradient: Any, query: Any, key: Any, value: Any, *rest: Any, **named: Any) -> int:
        return int(sdpa_backward_flop_count(gradient, query, key, value))

    operations = torch.ops.aten
    return {
        operations._scaled_dot_product_flash_attention_for_cpu: forward,
        operations._scaled_dot_product_flash_attention_for_cpu_backward: backward,
    }
