"""What a training would need, one line for each thing: `potstill train … --dry-run`.

Takes plain facts, as `--json` prints them. What is not known is told as unknown, never as 0, and
what does not fit is told twice: in its line and as a warning at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console

from .tables import plain_table
from .terminal import count, counted, duration, one_line, print_table, safe, size, value_text

_FIRST = ("in", "examples", "left_out", "tokens", "loss_tokens", "longest")
"""What preparing tells most of, in this order; the rest follows."""
_PARTS = {
    "weights": "weights",
    "gradients": "gradients",
    "optimizer": "optimizer",
    "activations": "activations",
    "recomputed": "a layer again",
    "loss": "loss",
    "other_models": "other models",
    "process": "libraries",
}


def show_estimate(console: Console, facts: Mapping[str, Any]) -> None:
    """The estimate of one training."""
    table = plain_table("")
    table.add_column(overflow="fold", min_width=14)
    for name, text in _lines(facts):
        table.add_row(safe(one_line(name), "bold"), safe(one_line(text)))
    print_table(console, table)
    for warning in _warnings(facts):
        console.print(safe(f"! {warning}", "yellow"), soft_wrap=True)
    console.print(safe("Nothing was trained, and nothing was written.", "dim"))


def _lines(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    data = facts["data"]
    for name in (
        *(key for key in _FIRST if key in data),
        *(key for key in data if key not in _FIRST),
    ):
        yield name.replace("_", " "), _metric(data[name])
    yield "steps", count(facts["steps"])
    parameters = facts["parameters"]
    yield "parameters", f"{count(parameters['total'])}, {count(parameters['trained'])} trained"
    yield "memory", _memory(facts["memory"], facts["sharding"])
    yield "time", _time(facts["time"])
    yield "disk", _disk(facts["disk"])
    yield "runs on", _numerics(facts["numerics"])
    if facts["not_counted"]:
        yield "not counted", facts["not_counted"]


def _metric(value: Any) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{name} {value_text(item)}" for name, item in value.items())
        return ", ".join(pairs) or "none"
    return value_text(value)


def _memory(memory: Mapping[str, Any], sharding: str) -> str:
    parts = [
        f"{name} {'unknown' if memory[key] is None else size(memory[key])}"
        for key, name in _PARTS.items()
        if memory[key] != 0
    ]
    total = "unknown in all" if memory["highest"] is None else f"~{size(memory['highest'])}"
    whole = "" if sharding == "none" else f" ({sharding} cuts a whole model's into pieces)"
    return f"{total}{whole}, {size(memory['available'])} are free: {', '.join(parts)}"


def _time(time: Mapping[str, Any]) -> str:
    if time["seconds"] is None:
        return f"unknown: {time['basis']}"
    interval = f"{duration(time['low'])} to {duration(time['high'])}"
    return f"~{duration(time['seconds'])} ({interval}), by {time['basis']}"


def _disk(disk: Mapping[str, Any]) -> str:
    return (
        f"at most {size(disk['most'])} at once, {size(disk['free'])} are free: a checkpoint has "
        f"{size(disk['checkpoint'])}, the result {size(disk['result'])}"
    )


def _numerics(numerics: Mapping[str, Any]) -> str:
    return (
        f"{numerics['device']}, weights {numerics['weights']}, arithmetic "
        f"{numerics['arithmetic']}, {counted(numerics['threads'], 'thread')} in "
        f"{'each of ' if numerics['processes'] > 1 else ''}{numerics['processes']} "
        f"process{'es' if numerics['processes'] > 1 else ''}"
    )


def _warnings(facts: Mapping[str, Any]) -> Iterator[str]:
    memory, disk = facts["memory"], facts["disk"]
    if memory["highest"] is not None and memory["highest"] > memory["available"]:
        yield (
            "the memory may not suffice. A smaller --micro-batch or --gradient-checkpointing "
            "needs less for activations, --lora less for gradients and the optimizer."
        )
    if disk["most"] > disk["free"]:
        yield "the disk may not suffice. Free some space there, or choose another --work DIR."
