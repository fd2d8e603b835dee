"""An estimate in lines: nothing unknown shown as 0, what does not fit told."""

from __future__ import annotations

import copy
import io
from typing import Any

import pytest

from potstill.views.show_estimate import show_estimate
from potstill.views.terminal import make_console

FACTS: dict[str, Any] = {
    "data": {
        "examples": 1420,
        "in": 1500,
        "left_out": {"too_long": 80},
        "fill": 0.9375,
        "tokens": 2_516_000,
    },
    "steps": 132,
    "parameters": {"total": 1_543_714_304, "trained": 18_464_768},
    "memory": {
        "weights": 3_087_428_608,
        "gradients": 73_859_072,
        "optimizer": 147_718_144,
        "activations": 9_000_000_000,
        "recomputed": 0,
        "loss": 400_000_000,
        "other_models": 0,
        "process": 0,
        "highest": 12_635_146_752,
        "available": 80_000_000_000,
    },
    "time": {"seconds": 7800.0, "low": 3900.0, "high": 15600.0, "basis": "4e+15 operations"},
    "disk": {"checkpoint": 2_000_000, "result": 10_000_000, "most": 14_000_000, "free": 15_000_000},
    "not_counted": None,
    "sharding": "none",
    "numerics": {
        "device": "cuda",
        "weights": "bfloat16",
        "arithmetic": "bfloat16",
        "threads": 4,
        "processes": 8,
    },
}


def shown(**changes: dict[str, Any] | str) -> list[str]:
    facts = copy.deepcopy(FACTS)
    for name, change in changes.items():
        facts[name] = {**facts[name], **change} if isinstance(change, dict) else change
    stream = io.StringIO()
    show_estimate(make_console(stream), facts)
    return stream.getvalue().splitlines()


def test_every_fact_has_its_line() -> None:
    assert shown() == [
        "in          1,500",
        "examples    1,420",
        "left out    too_long 80",
        "tokens      2,516,000",
        "fill        0.938",
        "steps       132",
        "parameters  1,543,714,304, 18,464,768 trained",
        "memory      ~12.6 GB, 80.0 GB are free: weights 3.1 GB, gradients 73.9 MB, optimizer "
        "147.7 MB, activations 9.0 GB, loss 400.0 MB",
        "time        ~2 h 10 m (1 h 05 m to 4 h 20 m), by 4e+15 operations",
        "disk        at most 14.0 MB at once, 15.0 MB are free: a checkpoint has 2.0 MB, the "
        "result 10.0 MB",
        "runs on     cuda, weights bfloat16, arithmetic bfloat16, 4 threads in each of 8 processes",
        "Nothing was trained, and nothing was written.",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        (
            {"memory": {"highest": None, "activations": None, "loss": None}},
            "memory      unknown in all, 80.0 GB are free: weights 3.1 GB, gradients 73.9 MB, "
            "optimizer 147.7 MB, activations unknown, loss unknown",
        ),
        (
            {"time": {"seconds": None, "low": None, "high": None, "basis": "no length"}},
            "time        unknown: no length",
        ),
        ({"data": {"left_out": {}}}, "left out    none"),
        ({"not_counted": "the reference model"}, "not counted  the reference model"),
        ({"data": {"source": "a\x1b[31mb"}}, "source      a\\x1b[31mb"),
        ({"disk": {"free": 13_000_000}}, "! the disk may not suffice. Free some space there"),
        ({"memory": {"available": 10_000_000_000}}, "! the memory may not suffice. A smaller"),
        ({"sharding": "fsdp"}, "memory      ~12.6 GB (fsdp cuts a whole model's into pieces)"),
    ],
)
def test_what_is_unknown_or_does_not_fit_is_said(changes: dict[str, Any], line: str) -> None:
    assert any(each.startswith(line) for each in shown(**changes)), shown(**changes)
