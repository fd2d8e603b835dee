"""Marked values are found at any depth; nothing else is."""

from __future__ import annotations

from typing import Annotated

import pytest

from potstill.pipeline.references import (
    Execution,
    FilterName,
    Model,
    Reference,
    Samples,
    identity_config,
    reference_kind,
    walk,
)
from potstill.pipeline.stage import Config


class Inner(Config):
    model: Model
    workers: Annotated[int, Execution()] = 1


class Outer(Config):
    samples: Samples
    more: list[Samples] | Samples | None = None
    parts: dict[Samples, float] = {}
    keep: dict[FilterName, float] = {}
    inner: Inner | None = None
    inners: tuple[Inner, ...] = ()
    plain: str = "x"


def found(config: Config, mark: type) -> list[tuple[tuple[str | int, ...], object]]:
    return [(marked.at, marked.value) for marked in walk(config) if isinstance(marked.mark, mark)]


def test_references_are_found_at_any_depth() -> None:
    config = Outer(
        samples="a",
        more=["b", "c"],
        parts={"d": 1},
        inner=Inner(model="./m"),
        inners=(Inner(model="hub:x/y"),),
    )
    assert found(config, Reference) == [
        (("samples",), "a"),
        (("more", 0), "b"),
        (("more", 1), "c"),
        (("parts", "d"), "d"),
        (("inner", "model"), "./m"),
        (("inners", 0, "model"), "hub:x/y"),
    ]


def test_a_union_is_followed_by_the_kind_of_value() -> None:
    assert found(Outer(samples="a", more="b"), Reference)[1:] == [(("more",), "b")]


def test_filters_and_execution_are_told_apart() -> None:
    config = Outer(samples="a", keep={"math": 1}, inner=Inner(model="m"))
    assert [value for _, value in found(config, Execution)] == [1]
    assert [marked.value for marked in walk(config) if "UsesFilter" in repr(marked.mark)] == [
        "math"
    ]


@pytest.mark.parametrize(
    ("value", "kind"),
    [("a", "word"), ("./a", "path"), ("../a", "path"), ("/a", "path"), ("hub:a/b", "hub")],
)
def test_kinds(value: str, kind: str) -> None:
    assert reference_kind(value) == kind


def test_what_belongs_to_a_reference_as_key_is_identity_too() -> None:
    """Weights of a mixture: another weight is another dataset."""
    config = Outer(samples="a", parts={"d": 3, "e": 1}, inner=Inner(model="./m", workers=9))
    made = identity_config(config, lambda reference: f"<{reference}>")
    assert made["parts"] == {"<d>": 3, "<e>": 1}
    assert made["samples"] == "<a>"
    assert made["inner"] == {"model": "<./m>"}
    assert made != identity_config(Outer(samples="a", parts={"d": 1, "e": 1}), str)
