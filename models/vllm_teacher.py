"""A teacher that is a vLLM engine inside this process, fed without pauses.

The engine runs in the step's own process: nothing is left behind when the step is killed, and on
the CPU it starts in seconds. Requests are added as others finish, so the batch stays full; each
has its own seed. Seeds do not make sampling bit-reproducible when the batch changes: the journal
does that.

On the CPU chunked prefill is off, because a seeded request whose prefill is chunked kills the
engine ("CPU Generator does not use offset", vLLM 0.32), and so is compilation, which costs half a
minute at each start. On a GPU vLLM's own defaults hold.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import StepFailed
from ..pipeline.fingerprint import canonical_json
from .chat import RenderedPrompt
from .local_model import LocalModel, open_local_model
from .request import Completion, Failure, Request, Sampling

ENVIRONMENT: Final = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine in this process
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",  # the model lies in a folder; nothing is to be fetched
    "VLLM_CPU_KVCACHE_SPACE": "2",  # GiB
}
"""Set where the user has not set them."""

_AHEAD: Final = 2
"""Requests held by the engine per place in its batch, so that none of its steps runs short."""


@contextmanager
def open_vllm(
    folder: Path, context: int | None, sampling: Sampling, template_kwargs: Mapping[str, Any]
) -> Iterator[VllmTeacher]:
    """An engine with the model of `folder`, freed with the block.

    Raises:
        RequestError: the folder cannot be asked.
        StepFailed: vLLM cannot be imported or does not start.
    """
    model = open_local_model(folder, context, template_kwargs)
    engine = _start_engine(folder, model)
    try:
        yield VllmTeacher(engine, model, sampling)
    finally:
        _shut_down(engine)


class VllmTeacher:
    """Answers requests with a running engine."""

    def __init__(self, engine: Any, model: LocalModel, sampling: Sampling) -> None:
        self._engine = engine
        self._model = model
        self._sampling = sampling
        self._numerics = canonical_json(numerics(engine))
        self._held = _AHEAD * int(engine.vllm_config.scheduler_config.max_num_seqs)

    def sample(self, requests: Iterable[Request]) -> Iterator[Completion | Failure]:
        """One outcome for each request, in the order in which they finish."""
        waiting = iter(requests)
        running: dict[str, tuple[Request, RenderedPrompt]] = {}
        try:
            while True:
                yield from self._fill(waiting, running)
                if not running:
                    return
                for output in self._step():
                    yield self._outcome(output, *running.pop(output.request_id))
        finally:
            self._engine.abort_request(list(running))

    def _fill(
        self, waiting: Iterator[Request], running: dict[str, tuple[Request, RenderedPrompt]]
    ) -> Iterator[Failure]:
        """Hand requests to the engine until it holds enough; those that cannot run fail."""
        while len(running) < self._held:
            request = next(waiting, None)
            if request is None:
                return
            prompt = self._model.prompt(request)
            if isinstance(prompt, Failure):
                yield prompt
                continue
            self._engine.add_request(
                request.key, {"prompt_token_ids": prompt.token_ids}, self._params(request)
            )
            running[request.key] = (request, prompt)

    def _params(self, request: Request) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        sampling = self._sampling
        return SamplingParams(
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            top_k=sampling.top_k or 0,
            min_p=sampling.min_p or 0.0,
            max_tokens=sampling.max_tokens,
            seed=request.seed,
            stop_token_ids=sorted(self._model.stop_ids),
            detokenize=False,  # once at the end, by `LocalModel.completion`
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def _step(self) -> list[Any]:
        try:
            return [output for output in self._engine.step() if output.finished]
        except Exception as error:
            raise StepFailed(
                f"the vLLM engine stopped: {type(error).__name__}: {error}. All completions so "
                "far are in the journal; run the same command to go on. If it happens again, "
                "set engine: transformers."
            ) from error

    def _outcome(
        self, output: Any, request: Request, prompt: RenderedPrompt
    ) -> Completion | Failure:
        answer = output.outputs[0]
        if answer.finish_reason not in ("stop", "length"):
            return Failure(request.key, "engine_error", f"finish_reason {answer.finish_reason!r}")
        return self._model.completion(request, prompt, answer.token_ids, self._numerics)


def numerics(engine: Any) -> dict[str, Any]:
    """What decides an engine's rounding: recorded with each completion, never identity."""
    import torch
    import vllm

    config = engine.vllm_config
    layers = config.compilation_config.static_forward_context.values()
    backends = {layer.get_attn_backend().get_name() for layer in layers if _is_attention(layer)}
    device = str(config.device_config.device_type)
    return {
        "engine": "vllm",
        "version": vllm.__version__,
        "device": torch.cuda.get_device_name() if device == "cuda" else device,
        "dtype": str(config.model_config.dtype).removeprefix("torch."),
        "attention": ",".join(sorted(backends)),
        "threads": torch.get_num_threads() if device == "cpu" else None,
    }


def _is_attention(layer: Any) -> bool:
    return hasattr(layer, "get_attn_backend")


def _start_engine(folder: Path, model: LocalModel) -> Any:
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from vllm import EngineArgs, LLMEngine
        from vllm.platforms import current_platform
        from vllm.usage.usage_lib import UsageContext
    except Exception as error:
        raise StepFailed(
            f"vLLM is installed but cannot be imported: {type(error).__name__}: {error}. "
            "Run potstill doctor, or set engine: transformers."
        ) from error
    on_cpu = {"dtype": "float32", "enforce_eager": True, "enable_chunked_prefill": False}
    arguments = EngineArgs(
        model=str(folder),
        max_model_len=model.context,
        load_format="safetensors",
        trust_remote_code=False,
        disable_log_stats=True,
        **(on_cpu if current_platform.is_cpu() else {}),
    )
    try:
        return LLMEngine.from_engine_args(arguments, usage_context=UsageContext.LLM_CLASS)
    except Exception as error:
        raise StepFailed(
            f"vLLM does not start with {folder}: {type(error).__name__}: {error}. A smaller "
            "context (beside model) needs less memory; engine: transformers runs without vLLM."
        ) from error


def _shut_down(engine: Any) -> None:
    """Free memory and process groups, so that another engine can start in this process."""
    from vllm.distributed import cleanup_dist_env_and_memory

    engine.engine_core.shutdown()
    del engine
    gc.collect()
    cleanup_dist_env_and_memory()
