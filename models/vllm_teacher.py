"""A teacher that is a vLLM engine inside this process, fed without pauses.

The engine runs in the step's own process: nothing is left behind when the step is killed, and on
the CPU it starts in seconds. It computes inside `poll`, one step of the whole batch after the
other, until something has finished; requests are added between two steps, so the batch stays
full. Each has its own seed. Seeds do not make sampling bit-reproducible when the batch changes:
the journal does that.

Nothing here is done per token: the engine hands over token ids when a completion is whole, and
they are decoded once. Only a request with stop texts is read by the engine as it grows. Several
engines (data parallel) are `managed_server.py`'s business.
"""

from __future__ import annotations

import copy
import dataclasses
import gc
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.fingerprint import canonical_json
from .chat import RenderedPrompt
from .engine_args import complete, refuse_data_parallel, refuse_latent_attention
from .local_model import LocalModel, open_local_model
from .request import Completion, Failure, Outcome, Request
from .sampling import Sampling
from .teacher import LocalTeacher

SUPPORTED: Final = frozenset(Sampling.model_fields) - {"reasoning_effort", "extra"}
"""Sampling fields that vLLM honours."""

ENVIRONMENT: Final = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine in this process
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",  # the model lies in a folder; nothing is to be fetched
}
"""Set where the user has not set them."""

_AHEAD: Final = 1.25
"""Requests held by the engine per place in its batch, so that none of its steps runs short."""


@contextmanager
def open_vllm(
    folder: Path,
    config: LocalTeacher,
    template_kwargs: Mapping[str, Any],
    concurrency: int | None,
) -> Iterator[VllmTeacher]:
    """An engine with the model of `folder`; what runs is aborted and it is freed with the block.

    Args:
        concurrency: most requests in flight; None: as many as keep its batch full.

    Raises:
        RequestError: the folder cannot be asked, or an engine argument is wrong.
        StepFailed: vLLM cannot be imported or does not start.
    """
    refuse_data_parallel(config.engine_args)
    model = open_local_model(folder, config.context, template_kwargs)
    engine = _start_engine(folder, model, config)
    try:
        yield VllmTeacher(engine, model, concurrency)
    finally:
        _shut_down(engine)


class VllmTeacher:
    """Answers requests with a running engine."""

    discarded = 0
    withheld = 0

    def __init__(self, engine: Any, model: LocalModel, concurrency: int | None) -> None:
        self._engine = engine
        self._model = model
        self._numerics = canonical_json(numerics(engine))
        places = int(engine.vllm_config.scheduler_config.max_num_seqs)
        most = int(_AHEAD * places)
        self._held = most if concurrency is None else min(concurrency, most)
        self._running: dict[str, tuple[Request, RenderedPrompt]] = {}
        self._refused: list[Outcome] = []
        self._params: dict[int, tuple[Sampling, Any]] = {}
        self._woken = threading.Event()
        self._refusals = _refusals()

    @property
    def room(self) -> int:
        """How many more requests the engine would take now."""
        return self._held - len(self._running) - len(self._refused)

    def submit(self, request: Request) -> None:
        """Hand a request to the engine; one that cannot run fails at the next `poll`.

        Raises:
            RequestError: its sampling suits no request of this model.
        """
        prompt = self._model.prompt(request)
        if isinstance(prompt, Failure):
            self._refused.append(prompt)
            return
        tokens = {"type": "token", "prompt_token_ids": prompt.token_ids}
        try:
            self._engine.add_request(request.key, tokens, self._sampling_params(request))
        except self._refusals as error:
            self._refused.append(Failure(request.key, "refused_by_engine", str(error)))
            return
        self._running[request.key] = (request, prompt)

    def poll(self, seconds: float) -> list[Outcome]:
        """Compute until something finishes; without a request, wait for `wake` or the time.

        Raises:
            StepFailed: the engine stopped.
        """
        done, self._refused = self._refused, []
        until = time.monotonic() + seconds
        if not self._running and not done:
            self._woken.wait(seconds)
        while self._running and not done:
            done = [self._outcome(output) for output in self._step()]
            if self._woken.is_set() or time.monotonic() >= until:
                break
        self._woken.clear()
        return done

    def wake(self) -> None:
        """Make a waiting `poll` return; a computing one returns after its present step."""
        self._woken.set()

    def drain(self) -> None:
        """Nothing: an engine has no second attempts."""

    def facts(self) -> Mapping[str, Any]:
        """How many requests the engine holds, and how many it would."""
        return {"engine": "vllm", "running": len(self._running), "held": self._held}

    def _sampling_params(self, request: Request) -> Any:
        """A copy of what all requests of a sampling share, with the request's own seed."""
        known = self._params.get(id(request.sampling))
        if known is None:
            known = (request.sampling, self._make_params(request.sampling))
            self._params[id(request.sampling)] = known  # holds the object, so its id stays its own
        params = copy.copy(known[1])
        params.seed = request.seed
        return params

    def _make_params(self, sampling: Sampling) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        given = sampling.model_dump(
            include=set(SUPPORTED - {"seed", "stop_token_ids"}), exclude_none=True
        )
        try:
            return SamplingParams(
                **_as_vllm_takes_it(given),
                stop_token_ids=sorted(self._model.stops(sampling)),
                detokenize=bool(sampling.stop),
                skip_special_tokens=False,
                output_kind=RequestOutputKind.FINAL_ONLY,
                skip_clone=True,  # `_sampling_params` has copied it already
            )
        except self._refusals as error:
            raise RequestError(f"vLLM refuses this sampling: {error}") from error

    def _step(self) -> list[Any]:
        try:
            return [output for output in self._engine.step() if output.finished]
        except Exception as error:
            raise StepFailed(
                f"the vLLM engine stopped: {type(error).__name__}: {error}. All completions so "
                "far are in the journal; run the same command to go on. If it happens again, "
                "set engine: transformers."
            ) from error

    def _outcome(self, output: Any) -> Completion | Failure:
        request, prompt = self._running.pop(output.request_id)
        answer = output.outputs[0]
        if answer.finish_reason not in ("stop", "length"):
            return Failure(request.key, "engine_error", f"finish_reason {answer.finish_reason!r}")
        cut = answer.text if isinstance(answer.stop_reason, str) else None
        return self._model.completion(request, prompt, answer.token_ids, self._numerics, cut)


def _as_vllm_takes_it(given: dict[str, Any]) -> dict[str, Any]:
    """JSON has no integer keys and pydantic no lists where tuples were declared."""
    if "logit_bias" in given:
        given["logit_bias"] = {int(token): bias for token, bias in given["logit_bias"].items()}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()}


def _refusals() -> tuple[type[Exception], ...]:
    """What this version of vLLM raises when a request is wrong and the engine is well."""
    from vllm import exceptions

    return (ValueError, getattr(exceptions, "VLLMClientError", ValueError))


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
        "quantization": config.model_config.quantization,
        "tensor_parallel": config.parallel_config.tensor_parallel_size,
        "attention": ",".join(sorted(backends)),
        "threads": torch.get_num_threads() if device == "cpu" else None,
    }


def _is_attention(layer: Any) -> bool:
    return hasattr(layer, "get_attn_backend")


def _start_engine(folder: Path, model: LocalModel, config: LocalTeacher) -> Any:
    set_environment(config)
    try:
        from vllm import EngineArgs, LLMEngine
        from vllm.platforms import current_platform
        from vllm.usage.usage_lib import UsageContext
    except Exception as error:
        raise StepFailed(
            f"vLLM is installed but cannot be imported: {type(error).__name__}: {error}. "
            "Run potstill doctor, or set engine: transformers."
        ) from error
    refuse_latent_attention(folder, current_platform.is_cpu())
    names = [field.name for field in dataclasses.fields(EngineArgs)]
    given = complete(config.engine_args, names, model.context, current_platform.is_cpu())
    try:
        arguments = EngineArgs(
            model=str(folder),
            max_model_len=model.context,
            load_format="safetensors",
            trust_remote_code=False,
            disable_log_stats=True,
            **given,
        )
        return LLMEngine.from_engine_args(arguments, usage_context=UsageContext.LLM_CLASS)
    except Exception as error:
        raise StepFailed(
            f"vLLM does not start with {folder}: {type(error).__name__}: {error}. A smaller "
            "context (beside model) needs less memory; engine: transformers runs without vLLM."
        ) from error


def set_environment(config: LocalTeacher) -> None:
    """vLLM's switches for an engine in this process, where the user has not set them."""
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if "kv_cache_memory_bytes" not in config.engine_args:  # the variable would win over it
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")  # GiB


def _shut_down(engine: Any) -> None:
    """Free memory and process groups, so that another engine can start in this process."""
    from vllm.distributed import cleanup_dist_env_and_memory

    engine.engine_core.shutdown()
    del engine
    gc.collect()
    cleanup_dist_env_and_memory()
