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
from .references import Execution, Marked, Reference, UsesFilter, reference_kind, walk
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
    for marked in walk(recipe.steps[name]):
        mark, value = marked.mark, marked.value
        if not isinstance(mark, Reference) or reference_kind(value) != "word":
            continue
        if value in mark.builtins:
            continue
        if value not in recipe.steps:
            known = [*recipe.steps, *mark.builtins]
            raise RequestError(
                f"{recipe.where(name, marked.at)}: {value!r} is no step; {suggest(value, known)}. "
                "A path begins with ./, ../ or /."
            )
        makes = recipe.steps[value].makes
        if makes != mark.produces or "step" not in mark.accepts:
            raise RequestError(
                f"{recipe.where(name, marked.at)}: step {value!r} makes {makes}; "
                f"{'.'.join(map(str, marked.at))} of step {name!r} needs {mark.produces}"
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
            raise RequestError(f"{recipe.where(name)}: the steps need each other: {circle}")
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
    marks = list(walk(stage))
    filters = _filters(recipe, name, marks)
    externals = _externals(recipe, name, marks, cache)
    identity = {
        "kind": stage.kind,
        "version": stage.version,
        "config": _identity_config(stage, marks, externals),
        "filters": {key: filters[key].identity() for key in sorted(filters)},
        "inputs": {key: done[key].address for key in inputs},
    }
    return Node(name, stage, inputs, filters, externals, identity)


def _filters(recipe: Recipe, name: str, marks: list[Marked]) -> dict[str, Filter]:
    found = {}
    for marked in marks:
        if isinstance(marked.mark, UsesFilter):
            if marked.value not in recipe.filters:
                raise RequestError(
                    f"{recipe.where(name, marked.at)}: no filter {marked.value!r} under "
                    f"'filters:'; {suggest(marked.value, recipe.filters)}"
                )
            found[marked.value] = recipe.filters[marked.value]
    return found


def _externals(
    recipe: Recipe, name: str, marks: list[Marked], cache: DigestCache
) -> dict[str, External]:
    found = {}
    for marked in marks:
        if isinstance(marked.mark, Reference) and reference_kind(marked.value) != "word":
            try:
                found[marked.value] = resolve_external(
                    marked.value, marked.mark, recipe.base(name, marked.at), cache
                )
            except RequestError as error:
                raise RequestError(f"{recipe.where(name, marked.at)}: {error}") from error
    return found


def _identity_config(
    stage: Stage, marks: list[Marked], externals: Mapping[str, External]
) -> dict[str, Any]:
    """The settings without what says only *how*, and with content in the place of paths."""
    config: dict[str, Any] = stage.model_dump(mode="json")
    for marked in marks:
        *parents, last = marked.at
        holder: Any = config
        for part in parents:
            holder = holder[part]
        if isinstance(marked.mark, Execution):
            del holder[last]
        elif isinstance(marked.mark, Reference) and marked.value in externals:
            holder[last] = f"content:{externals[marked.value].digest}"
    return config
