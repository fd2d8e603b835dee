"""A teacher that is plain `transformers.generate`: slower by far, but it runs wherever torch does.

Requests are taken in batches of one sampling each, left-padded, and computed in a thread beside
`poll`, which stays answerable. Each sequence is drawn with a random generator of its own, seeded
by its request, so a completion does not depend on its neighbours' luck. It may still differ when
the batch does: matrix products round differently in another shape, and a near tie then falls the
other way. This engine is not batch-invariant; the journal makes runs repeatable.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import StepFailed
from ..pipeline.fingerprint import canonical_json
from .chat import RenderedPrompt
from .drawing import processors
from .local_model import LocalModel, open_local_model
from .request import Completion, Failure, Outcome, Request
from .sampling import Sampling
from .stop_text import stop_text, stopping_criteria
from .teacher import LocalTeacher

SUPPORTED: Final = frozenset(Sampling.model_fields) - {"reasoning_effort", "extra"}
"""Sampling fields that this engine honours."""

BATCH: Final = 32
"""Sequences at once: generate() runs a batch to its longest member, so larger ones waste more."""

_HELD: Final = 2 * BATCH
"""So that the next batch is full while the last one is still being stored."""

Ready = tuple[Request, RenderedPrompt]


@contextmanager
def open_transformers(
    folder: Path, config: LocalTeacher, template_kwargs: Mapping[str, Any]
) -> Iterator[TransformersTeacher]:
    """A loaded model, on the GPU if there is one; what runs is abandoned with the block.

    Raises:
        RequestError: the folder cannot be asked.
        StepFailed: the weights cannot be loaded.
    """
    model = open_local_model(folder, config.context, template_kwargs)
    teacher = TransformersTeacher(_load(folder), model)
    try:
        yield teacher
    finally:
        teacher.close()


class TransformersTeacher:
    """Answers requests batch by batch."""

    discarded = 0
    withheld = 0

    def __init__(self, network: Any, model: LocalModel) -> None:
        import torch

        self._network = network
        self._model = model
        self._numerics = canonical_json(numerics(network))
        self._waiting: list[Ready] = []
        self._refused: list[Outcome] = []
        self._batch: list[Ready] = []
        self._answers: Future[list[Completion]] | None = None
        self._changed = threading.Event()
        self._closing = threading.Event()
        # OpenMP's number of threads belongs to the thread that asks for it.
        self._thread = ThreadPoolExecutor(1, "generate", torch.set_num_threads, (_threads(),))

    @property
    def room(self) -> int:
        """How many more requests would be taken now."""
        return _HELD - len(self._waiting) - len(self._batch) - len(self._refused)

    def submit(self, request: Request) -> None:
        """Put a request into the queue; one that cannot run fails at the next `poll`."""
        prompt = self._model.prompt(request)
        if isinstance(prompt, Failure):
            self._refused.append(prompt)
        else:
            self._waiting.append((request, prompt))

    def poll(self, seconds: float) -> list[Outcome]:
        """The last batch if it is done, and those that could not run; begins the next batch.

        Raises:
            StepFailed: the batch could not be generated.
        """
        done, self._refused = self._refused, []
        self._begin()
        if not done:
            self._changed.wait(seconds)
        self._changed.clear()
        if self._answers is not None and self._answers.done():
            answers, self._answers, self._batch = self._answers, None, []
            done += self._result(answers)
            self._begin()
        return done

    def wake(self) -> None:
        """Make a waiting `poll` return soon."""
        self._changed.set()

    def drain(self) -> None:
        """Nothing: there are no second attempts."""

    def facts(self) -> Mapping[str, Any]:
        """How many requests are computed and how many wait."""
        return {
            "engine": "transformers",
            "running": len(self._batch),
            "waiting": len(self._waiting),
        }

    def close(self) -> None:
        """Abandon what runs, at its next token."""
        self._closing.set()
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _begin(self) -> None:
        """Start the next batch: the first that waits, and those that are drawn like it."""
        if self._answers is not None or not self._waiting:
            return
        sampling = self._waiting[0][0].sampling
        alike = [each for each in self._waiting if each[0].sampling == sampling]
        self._batch = alike[:BATCH]
        taken = {request.key for request, _ in self._batch}
        self._waiting = [each for each in self._waiting if each[0].key not in taken]
        self._answers = self._thread.submit(self._answer, self._batch)
        self._answers.add_done_callback(lambda _: self._changed.set())

    def _result(self, answers: Future[list[Completion]]) -> list[Completion]:
        try:
            return answers.result()
        except (RuntimeError, ValueError, IndexError) as error:
            raise StepFailed(
                f"transformers could not generate with {self._model.name}: "
                f"{type(error).__name__}: {error}. All completions so far are in the journal; "
                "run the same command to go on."
            ) from error

    def _answer(self, batch: Sequence[Ready]) -> list[Completion]:
        sampling = batch[0][0].sampling
        stops = self._model.stops(sampling)
        completions = []
        for (request, prompt), row in zip(batch, self._generate(batch, stops), strict=True):
            tokens = row[: min(sampling.max_tokens, self._left(prompt))]
            tokens = _up_to_stop(tokens, stops)
            cut = stop_text(self._model, sampling, tokens) if sampling.stop else None
            tokens, text = cut or (tokens, None)
            completions.append(
                self._model.completion(request, prompt, tokens, self._numerics, text)
            )
        return completions

    def _left(self, prompt: RenderedPrompt) -> int:
        return self._model.context - len(prompt.token_ids)

    def _generate(self, batch: Sequence[Ready], stops: frozenset[int]) -> list[list[int]]:
        """Generated tokens of each sequence, padding and all."""
        import torch
        from transformers import GenerationConfig, LogitsProcessorList, StoppingCriteriaList

        sampling = batch[0][0].sampling
        prompts = [prompt.token_ids for _, prompt in batch]
        longest = max(map(len, prompts))
        pad = min(self._model.stop_ids)
        rows = [[pad] * (longest - len(prompt)) + prompt for prompt in prompts]
        mask = [[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts]
        config = GenerationConfig(
            do_sample=False,  # the draw is a processor, with a generator for each sequence
            max_new_tokens=min(sampling.max_tokens, max(self._left(each) for _, each in batch)),
            eos_token_id=sorted(stops) or None,
            pad_token_id=pad,
        )
        steps = processors(sampling, self._model, prompts, [each.seed for each, _ in batch])
        endings = stopping_criteria(self._model, sampling, longest, self._closing)
        device = self._network.device
        with torch.inference_mode():
            output = self._network.generate(
                input_ids=torch.tensor(rows, device=device),
                attention_mask=torch.tensor(mask, device=device),
                generation_config=config,
                logits_processor=LogitsProcessorList(steps),
                stopping_criteria=StoppingCriteriaList([endings]),
            )
        return [list(row) for row in output[:, longest:].tolist()]


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


def _threads() -> int:
    import torch

    return int(torch.get_num_threads())


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
