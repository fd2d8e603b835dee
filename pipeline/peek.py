"""Looking at a step without running it: what it would buy, and what it would ask.

`context_for` gives a stage the context that its run would have, less what only a run needs: it
must not be written to, and a hub snapshot that is not on this disk yet has no path. Steps that
ask a model answer `forecast` and `preview` from it; a step whose inputs are not finished cannot
be looked at yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .artifact import Artifact
from .errors import PotstillError, RequestError
from .plan import Node, Plan
from .stage import Context, Preview, Stage
from .status import StepState, read_states


def label_of(plan: Plan, node: Node) -> str:
    """`recipe/step`: what messages and the journal call it."""
    return f"{plan.run_dir.name}/{node.name}"


def journal_of(plan: Plan) -> Path:
    """Where the work directory's paid completions are."""
    return plan.work / "journal.sqlite"


def context_for(plan: Plan, node: Node, inputs: Mapping[str, Artifact]) -> Context:
    """A context to look from, when the inputs are known."""
    externals = node.externals
    return Context(
        step=label_of(plan, node),
        out=plan.run_dir / node.folder,
        inputs=inputs,
        filters=node.filters,
        paths={name: found.path for name, found in externals.items() if found.path is not None},
        digests={name: found.digest for name, found in externals.items()},
        journal=journal_of(plan),
        limit=plan.limit,
    )


def peek(plan: Plan, node: Node, states: Sequence[StepState] | None = None) -> Context | None:
    """A context to look from; None while an input is not finished.

    Args:
        states: of the plan's steps, where they have been read already.
    """
    found = {state.node.name: state for state in states or read_states(plan)}
    if _missing(found, node):
        return None
    inputs = {name: found[name].artifact for name in node.inputs}
    return context_for(plan, node, {name: each for name, each in inputs.items() if each})


def plan_facts(plan: Plan) -> list[dict[str, Any]]:
    """The facts of `status` for every step, and the forecasts.

    `forecast` is that of a step that asks a model and is not finished, else None; `outlook` says
    why there is none though there should be.
    """
    states = read_states(plan)
    return [state.facts() | _outlook(plan, state, states) for state in states]


@dataclass(frozen=True)
class Previews:
    """What the steps of a plan would ask."""

    shown: Mapping[str, Preview]
    waiting: Mapping[str, tuple[str, ...]]
    """Steps that cannot be shown yet, with the inputs that they wait for."""

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "prompts": {name: preview.facts() for name, preview in self.shown.items()},
            "waiting": {name: list(needed) for name, needed in self.waiting.items()},
        }


def previews(plan: Plan) -> Previews:
    """The previews of all steps that ask a model, finished or not.

    Raises:
        RequestError: no step does.
    """
    asking = [node for node in plan.nodes if type(node.stage).preview is not Stage.preview]
    if not asking:
        raise RequestError(f"no step of recipe {plan.name!r} asks a model: there is no prompt")
    states = read_states(plan)
    found = {state.node.name: state for state in states}
    shown, waiting = {}, {}
    for node in asking:
        context = peek(plan, node, states)
        if context is None:
            waiting[node.name] = _missing(found, node)
        elif (preview := node.stage.preview(context)) is not None:
            shown[node.name] = preview
    return Previews(shown, waiting)


def _outlook(plan: Plan, state: StepState, states: Sequence[StepState]) -> dict[str, Any]:
    node = state.node
    if state.state == "complete" or type(node.stage).forecast is Stage.forecast:
        return {"forecast": None, "outlook": None}
    context = peek(plan, node, states)
    if context is None:
        found = {each.node.name: each for each in states}
        names = ", ".join(_missing(found, node))
        return {"forecast": None, "outlook": f"can be forecast once {names} is there"}
    try:
        forecast = node.stage.forecast(context)
    except PotstillError as error:  # the plan stands without it, and the reason is shown
        return {"forecast": None, "outlook": f"cannot be forecast: {error}"}
    return {"forecast": forecast.facts() if forecast else None, "outlook": None}


def _missing(found: Mapping[str, StepState], node: Node) -> tuple[str, ...]:
    return tuple(name for name in node.inputs if found[name].state != "complete")
