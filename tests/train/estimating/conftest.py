"""Trainings that are ready to begin, and the real peak of what their tensors take."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.estimating.subject import Subject
from potstill.train.running.numerics import choose_numerics
from potstill.train.sft import Sft


@pytest.fixture
def subject(
    sft: Callable[..., Sft],
    students: dict[str, Path],
    toy: list[Sample],
    mixture: Callable[..., Artifact],
    context: Callable[..., Context],
) -> Callable[..., Subject]:
    """An sft of the tiny Qwen2 on the toy rows, prepared."""

    count = itertools.count()
    data = mixture(toy)

    def make(**fields: Any) -> Subject:
        stage = sft(**fields)
        given = context(data, students["qwen"], f"out{next(count)}")
        student = stage.open_student(given)
        prepared = stage.prepare(given, student)
        return Subject(stage, given, student, choose_numerics(stage, 1, 1), prepared)

    return make


@pytest.fixture
def peak() -> Callable[[Any], int]:
    """Most bytes that the tensors of a training take together, parameters included."""

    def measure(trainer: Any) -> int:
        from torch import Tensor
        from torch.utils._python_dispatch import TorchDispatchMode
        from torch.utils._pytree import tree_leaves

        class Living(TorchDispatchMode):
            """Storages that operations made and that are still there."""

            def __init__(self) -> None:
                super().__init__()
                self.sizes: dict[int, int] = {}
                self.now = self.most = 0

            def meet(self, tensor: Any) -> None:
                storage = tensor.untyped_storage()
                if storage._cdata in self.sizes:
                    return
                self.sizes[storage._cdata] = storage.nbytes()
                self.now += storage.nbytes()
                self.most = max(self.most, self.now)
                weakref.finalize(storage, self.forget, storage._cdata)

            def forget(self, storage: int) -> None:
                self.now -= self.sizes.pop(storage)

            def __torch_dispatch__(
                self, function: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                made = function(*args, **(kwargs or {}))
                for leaf in tree_leaves(made):
                    if isinstance(leaf, Tensor):
                        self.meet(leaf)
                return made

        with Living() as living:
            for parameter in trainer.model.parameters():
                living.meet(parameter)
            trainer.train()
        return living.most

    return measure
