"""Memory of one process of a training, part by part, and together at its highest; in bytes.

Weights, gradients and optimizer are counts of parameters: AdamW keeps two numbers for each trained
one in its dtype (torch.optim.AdamW: exp_avg, exp_avg_sq). Activations are what autograd keeps of
one micro-batch of the longest rows (`skeleton.traced`). With gradient checkpointing they are the
inputs of all layers, and the inside of one is computed again at a time (Chen et al. 2016,
arXiv:1604.06174, section 4). The logits exist in tiles only (trl 1.16).

The highest point is where the loss has been computed and all activations are there, or where the
backward pass has made the gradients; before that they are there only if a step has several
micro-batches. It was 0.94 to 1.04 times what the tensors of real trainings took
(tests/train/estimating/test_memory.py). Not in it: the CUDA context (about half a gigabyte), what
an allocator keeps of freed blocks (glibc: 0.2 to 0.7 GB were seen, and next to none with
MALLOC_MMAP_THRESHOLD_=1000000), and that FSDP and ZeRO cut weights into pieces.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from ...pipeline.references import Reference, walk
from ..students.student import open_student
from .machine import process_memory
from .skeleton import Parameters, skeleton
from .subject import Subject

TILE_TOKENS: Final = 4096
TILE_WORDS: Final = 32_768
"""trl computes the logits of so many tokens and words of the vocabulary at once (trl 1.16,
kernels/chunked_logprob.py and trainer/utils.py)."""
_TILES_ON_CPU: Final = 7
"""Float32 tiles that its backward pass holds where Triton is missing (`_backward_tile`)."""
_TILED: Final = frozenset({"sft", "dpo"})
"""Kinds whose loss is computed so; what others keep of their logits is not known here."""
NF4_BITS: Final = 4.127
"""Bits of a weight in NF4 with quantised constants (QLoRA, arXiv:2305.14314, section 3)."""
BYTES: Final = {"float32": 4, "bfloat16": 2}


@dataclass(frozen=True)
class Memory:
    """What each part takes; None is unknown."""

    weights: int
    gradients: int
    optimizer: int
    activations: int | None
    recomputed: int | None
    """The inside of one layer, with gradient checkpointing; else 0."""
    loss: int | None
    other_models: int
    """A teacher's weights."""
    process: int
    """Python and its libraries, where they share the memory with the training."""

    @property
    def known(self) -> int:
        """All parts that are known."""
        return sum(part for part in asdict(self).values() if part is not None)

    def highest(self, accumulating: bool) -> int | None:
        """All parts that are there at once; None where one is unknown.

        Args:
            accumulating: whether a step has several micro-batches.
        """
        if self.activations is None or self.recomputed is None or self.loss is None:
            return None
        always = self.weights + self.optimizer + self.other_models + self.process
        if accumulating:
            moving = self.gradients + self.activations + max(self.loss, self.recomputed)
        else:
            after = max(self.gradients, self.activations) + self.recomputed
            moving = max(self.activations + self.loss, after)
        return always + moving


def memory_of(subject: Subject) -> Memory:
    """Memory of one process."""
    trained = subject.parameters.trained_bytes
    activations, recomputed = _activations(subject)
    return Memory(
        weights=_weights(subject),
        gradients=trained,
        optimizer=2 * trained,
        activations=activations,
        recomputed=recomputed,
        loss=_loss(subject),
        other_models=_other_models(subject),
        process=process_memory(subject.numerics),
    )


def _weights(subject: Subject) -> int:
    weights = subject.parameters.bytes
    lora = subject.stage.lora
    if lora is None or lora.quantize is None:
        return weights
    rounded = _frozen_linear(subject.model)
    whole = sum(each.numel() * each.element_size() for each in rounded)
    return int(weights - whole + sum(each.numel() for each in rounded) * NF4_BITS / 8)


def _frozen_linear(model: Any) -> list[Any]:
    """Weights that bitsandbytes rounds: of linear layers, but not of the output head."""
    from torch.nn import Linear

    whole = model.get_base_model()
    head = whole.get_output_embeddings()
    return [
        module.weight
        for module in whole.modules()
        if isinstance(module, Linear) and module is not head and not module.weight.requires_grad
    ]


def _activations(subject: Subject) -> tuple[int | None, int | None]:
    """What is kept, and what is computed again."""
    again = subject.stage.gradient_checkpointing
    found = None if subject.longest_batch is None else subject.traced(*subject.longest_batch)
    if found is None or subject.longest_batch is None:
        return None, None if again else 0
    if not again:
        return found.kept_bytes, 0
    sequences, length = subject.longest_batch
    layers, hidden = subject.config.num_hidden_layers, subject.config.hidden_size
    inputs = layers * sequences * length * hidden * BYTES[subject.numerics.weights]
    return inputs, found.kept_bytes // layers


def _loss(subject: Subject) -> int | None:
    """The output head and the loss, in tiles: the logits never exist as a whole."""
    if subject.longest_batch is None or subject.stage.kind not in _TILED:
        return None
    sequences, length = subject.longest_batch
    hidden, vocabulary = subject.config.hidden_size, subject.config.vocab_size
    tokens, words = sequences * length, min(vocabulary, TILE_WORDS)
    rows, size = min(tokens, TILE_TOKENS), BYTES[subject.numerics.arithmetic]
    if subject.numerics.device == "cpu":  # what of a tile is never touched takes no memory there
        tiles = rows * words * (size + 4 * _TILES_ON_CPU)
    else:
        tiles = rows * TILE_WORDS * size
    cast = 0 if subject.numerics.weights == subject.numerics.arithmetic else words * hidden * size
    of_the_head = 0 if subject.stage.lora else vocabulary
    return int(tiles + cast + 4 * hidden * (tokens + of_the_head))


def _other_models(subject: Subject) -> int:
    """Frozen models that fields of the step name beside the one that is trained."""
    names = [
        marked.value
        for marked in walk(subject.stage)
        if isinstance(marked.mark, Reference)
        and marked.mark.produces == "model"
        and marked.at != ("model",)
    ]
    frozen = subject.stage.model_copy(update={"lora": None})
    models = (open_student(subject.context.path(name), name) for name in names)
    return sum(Parameters.of(skeleton(model, frozen, subject.numerics)).bytes for model in models)
