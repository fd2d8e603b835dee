"""The graph of a recipe: order, addresses, and all that can be said before anything runs.

An address is the hash of what a step *is*: kind, version, settings, filters, the content of the
files it names and the addresses of its inputs. So every address is known up front, renaming a
file changes nothing and changing a threshold renames only what depends on it. What is on disk
already is `status.py`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import RequestError
from .external import External, resolve_external
from .filter import Filter
from .fingerprint import ADDRESS_LENGTH, digest_of
from .recipe import Recipe
from .references import Marked, Reference, UsesFilter, identity_config, reference_kind
from .stage import Stage
from .statcache import DigestCache
from .suggest import suggest


@dataclass(frozen=True)
class Node:
    """One step, ready to be looked up or run."""

    name: str
    stage: Stage
    inputs: tuple[str, ...]
    filters: Mapping[str, Filter]
    externals: Mapping[str, External]
    identity: Mapping[str, Any]
    """Everything that decides the address, as JSON values."""

    @property
    def address(self) -> str:
        return digest_of(self.identity)[:ADDRESS_LENGTH]

    @property
    def folder(self) -> str:
        """Name of the artifact's directory below the run's."""
        return f"{self.name}-{self.address}"


@dataclass(frozen=True)
class Plan:
    """The nodes of a recipe in an order in which they can run."""

    name: str
    nodes: tuple[Node, ...]
    work: Path
    limit: int | None = None

    @property
    def run_dir(self) -> Path:
        """Where this recipe's artifacts lie; smoke runs (`--limit`) are kept apart."""
        suffix = f"-limit{self.limit}" if self.limit is not None else ""
        return self.work / f"{self.name}{suffix}"

    def node(self, name: str) -> Node:
        """A step by name, or RequestError with the closest match."""
        for node in self.nodes:
            if node.name == name:
                return node
        known = [node.name for node in self.nodes]
        raise RequestError(f"no step {name!r} in recipe {self.name!r}; {suggest(name, known)}")

    def needed_for(self, name: str) -> list[Node]:
        """The step and everything it needs, in order."""
        wanted = {self.node(name).name}
        for node in reversed(self.nodes):
            if node.name in wanted:
                wanted.update(node.inputs)
        return [node for node in self.nodes if node.name in wanted]


def make_plan(recipe: Recipe, work: Path, limit: int | None = None) -> Plan:
    """Resolve references, order the steps and give them addresses.

    Raises:
        RequestError: a step, filter or file is not there, a step has the wrong product, or the
            steps need each other in a circle.
    """
    cache = DigestCache(work / ".digests.json")
    edges = {name: _edges(recipe, name) for name in recipe.steps}
    nodes: dict[str, Node] = {}
    for name in _in_order(recipe, edges):
        nodes[name] = _node(recipe, name, edges[name], nodes, cache)
    if work.is_dir():
        cache.save()
    return Plan(recipe.name, tuple(nodes.values()), work.absolute(), limit)


def _edges(recipe: Recipe, name: str) -> tuple[str, ...]:
    """Names of the steps that a step needs, each checked to exist and to make what is wanted."""
    found = []
    for marked in recipe.marks(name):
        mark, value = marked.mark, marked.value
        if not isinstance(mark, Reference) or reference_kind(value) != "word":
            continue
        if value in mark.builtins:
            continue
        if value not in recipe.steps:
            known = [*recipe.steps, *mark.builtins]
            raise RequestError(
                f"{recipe.source.where(marked.at)}: {value!r} is no step; {suggest(value, known)}. "
                "A path begins with ./, ../ or /."
            )
        makes = recipe.steps[value].makes
        if makes != mark.produces or "step" not in mark.accepts:
            raise RequestError(
                f"{recipe.source.where(marked.at)}: step {value!r} makes {makes}; "
                f"{_field(marked)} of step {name!r} needs {mark.produces}"
            )
        found.append(value)
    return tuple(dict.fromkeys(found))


def _in_order(recipe: Recipe, edges: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Steps after what they need, otherwise in the order of the recipe."""
    order: list[str] = []
    open_steps: list[str] = []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_steps:
            circle = " → ".join([*open_steps[open_steps.index(name) :], name])
            raise RequestError(
                f"{recipe.source.where(('steps', name))}: the steps need each other: {circle}"
            )
        open_steps.append(name)
        for needed in edges[name]:
            visit(needed)
        open_steps.pop()
        order.append(name)

    for name in recipe.steps:
        visit(name)
    return order


def _node(
    recipe: Recipe,
    name: str,
    inputs: tuple[str, ...],
    done: Mapping[str, Node],
    cache: DigestCache,
) -> Node:
    stage = recipe.steps[name]
    marks = recipe.marks(name)
    externals = _externals(recipe, marks, cache)
    used = {marked.value for marked in marks if isinstance(marked.mark, UsesFilter)}
    filters = {key: recipe.filters[key] for key in sorted(used)}

    def content(reference: str) -> str:
        found = externals.get(reference)
        return reference if found is None else f"content:{found.digest}"

    def content_or_address(reference: str) -> str:
        return f"step:{done[reference].address}" if reference in inputs else content(reference)

    identity = {
        "kind": stage.kind,
        "version": stage.version,
        "config": identity_config(stage, content),
        "filters": {key: each.identity(content_or_address) for key, each in filters.items()},
        "inputs": {key: done[key].address for key in inputs},
    }
    return Node(name, stage, inputs, filters, externals, identity)


def _externals(recipe: Recipe, marks: list[Marked], cache: DigestCache) -> dict[str, External]:
    found = {}
    for marked in marks:
        if isinstance(marked.mark, Reference) and reference_kind(marked.value) != "word":
            try:
                found[marked.value] = resolve_external(
                    marked.value, marked.mark, recipe.source.base(marked.at), cache
                )
            except RequestError as error:
                raise RequestError(f"{recipe.source.where(marked.at)}: {error}") from error
    return found


def _field(marked: Marked) -> str:
    """A field as the recipe calls it, without the way to its step or filter."""
    depth = 3 if marked.at[0] == "steps" else 2
    return ".".join(map(str, marked.at[depth:]))
