"""A teacher that is plain `transformers.generate`: slower by far, but it runs wherever torch does.

Requests are taken in batches, left-padded. Each sequence is drawn with a random generator of its
own, seeded by its request, so a completion does not depend on its neighbours' luck. It may still
differ when the batch does: matrix products round differently in another shape, and a near tie
then falls the other way. This engine is not batch-invariant; the journal makes runs repeatable.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import StepFailed
from ..pipeline.fingerprint import canonical_json
from .chat import RenderedPrompt
from .local_model import LocalModel, open_local_model
from .request import Completion, Failure, Request, Sampling

BATCH: Final = 32
"""Sequences at once: generate() runs a batch to its longest member, so larger ones waste more."""


@contextmanager
def open_transformers(
    folder: Path, context: int | None, sampling: Sampling, template_kwargs: Mapping[str, Any]
) -> Iterator[TransformersTeacher]:
    """A loaded model, on the GPU if there is one.

    Raises:
        RequestError: the folder cannot be asked.
        StepFailed: the weights cannot be loaded.
    """
    model = open_local_model(folder, context, template_kwargs)
    yield TransformersTeacher(_load(folder), model, sampling)


class TransformersTeacher:
    """Answers requests batch by batch."""

    def __init__(self, network: Any, model: LocalModel, sampling: Sampling) -> None:
        self._network = network
        self._model = model
        self._sampling = sampling
        self._numerics = canonical_json(numerics(network))

    def sample(self, requests: Iterable[Request]) -> Iterator[Completion | Failure]:
        """One outcome for each request, in order but for those that cannot run."""
        waiting = iter(requests)
        while batch := list(islice(waiting, BATCH)):
            ready = []
            for request in batch:
                prompt = self._model.prompt(request)
                if isinstance(prompt, Failure):
                    yield prompt
                else:
                    ready.append((request, prompt))
            if ready:
                yield from self._answer(ready)

    def _answer(self, ready: Sequence[tuple[Request, RenderedPrompt]]) -> Iterator[Completion]:
        try:
            answers = self._generate(ready)
        except (RuntimeError, ValueError, IndexError) as error:
            raise StepFailed(
                f"transformers could not generate with {self._model.name}: "
                f"{type(error).__name__}: {error}. All completions so far are in the journal; "
                "run the same command to go on."
            ) from error
        for (request, prompt), tokens in zip(ready, answers, strict=True):
            kept = tokens[: min(self._sampling.max_tokens, self._room(prompt))]
            kept = _up_to_stop(kept, self._model.stop_ids)
            yield self._model.completion(request, prompt, kept, self._numerics)

    def _room(self, prompt: RenderedPrompt) -> int:
        return self._model.context - len(prompt.token_ids)

    def _generate(self, ready: Sequence[tuple[Request, RenderedPrompt]]) -> list[list[int]]:
        """Generated tokens of each sequence, padding and all."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList

        prompts = [prompt.token_ids for _, prompt in ready]
        longest = max(map(len, prompts))
        pad = next(iter(self._model.stop_ids))
        rows = [[pad] * (longest - len(prompt)) + prompt for prompt in prompts]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        most = max(self._room(prompt) for _, prompt in ready)
        config = GenerationConfig(
            do_sample=False,  # the draw is in `_Draw`, with a generator for each sequence
            max_new_tokens=min(self._sampling.max_tokens, most),
            eos_token_id=sorted(self._model.stop_ids),
            pad_token_id=pad,
        )
        device = self._network.device
        with torch.inference_mode():
            output = self._network.generate(
                input_ids=torch.tensor(rows, device=device),
                attention_mask=torch.tensor(mask, device=device),
                generation_config=config,
                logits_processor=LogitsProcessorList(self._processors(ready)),
            )
        return [list(row) for row in output[:, longest:].tolist()]

    def _processors(self, ready: Sequence[tuple[Request, RenderedPrompt]]) -> list[Any]:
        """Temperature, then the cuts, then the draw: the order in which vLLM applies them."""
        from transformers import (
            MinPLogitsWarper,
            TemperatureLogitsWarper,
            TopKLogitsWarper,
            TopPLogitsWarper,
        )

        sampling = self._sampling
        if sampling.temperature == 0:
            return []
        steps: list[Any] = [TemperatureLogitsWarper(sampling.temperature)]
        if sampling.min_p:
            steps.append(MinPLogitsWarper(sampling.min_p))
        if sampling.top_k:
            steps.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            steps.append(TopPLogitsWarper(sampling.top_p))
        return [*steps, _draw([request.seed for request, _ in ready])]


def _draw(seeds: Sequence[int | None]) -> Any:
    """A logits processor whose argmax is a fair draw from softmax(logits), one seed per row.

    Adding Gumbel noise to logits and taking the largest is sampling (Gumbel 1954); it lets
    `generate` do greedy search and still gives each sequence its own generator.
    """
    import torch

    generators: list[Any] = []

    def add_noise(input_ids: Any, scores: Any) -> Any:
        if not generators:
            generators.extend(_generator(seed, scores.device) for seed in seeds)
        width, device = scores.shape[-1], scores.device
        rows = [torch.rand(width, generator=each, device=device) for each in generators]
        uniform = torch.stack(rows).clamp_min(torch.finfo(torch.float32).tiny)
        return scores.float() - torch.log(-torch.log(uniform))

    return add_noise


def _generator(seed: int | None, device: Any) -> Any:
    import torch

    generator = torch.Generator(device=device)
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return generator


def numerics(network: Any) -> dict[str, Any]:
    """What decides rounding: recorded with each completion, never identity."""
    import torch
    import transformers

    device = str(network.device.type)
    return {
        "engine": "transformers",
        "version": transformers.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "dtype": str(network.dtype).removeprefix("torch."),
        "attention": network.config._attn_implementation,
        "threads": torch.get_num_threads() if device == "cpu" else None,
    }


def _up_to_stop(tokens: list[int], stop_ids: frozenset[int]) -> list[int]:
    """Tokens up to and with the first that ends the turn; what follows is padding."""
    end = next((place for place, token in enumerate(tokens) if token in stop_ids), None)
    return tokens if end is None else tokens[: end + 1]


def _load(folder: Path) -> Any:
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    on_gpu = torch.cuda.is_available()
    try:
        network = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype="auto" if on_gpu else torch.float32,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise StepFailed(
            f"{folder} cannot be loaded: {type(error).__name__}: {error}. Expected config.json "
            "and *.safetensors of an architecture that transformers knows."
        ) from error
    network.generation_config = GenerationConfig()  # only what the recipe says counts
    return network.to("cuda" if on_gpu else "cpu").eval()
