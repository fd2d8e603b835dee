"""Options made of fields: every field of every kind, values of every shape, slips that are told."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import pytest

from potstill.pipeline.errors import RequestError
from potstill.pipeline.references import Model, Samples
from potstill.pipeline.stage import Config, Context, Metrics, Stage
from potstill.train import TRAINERS
from potstill.train.option_values import settings_of
from potstill.train.options import EXECUTION, TRAINING, WHAT, options_of, sections
from potstill.train.settings import TrainingSettings


class Inner(Config):
    r: int = 16
    """Rank."""
    target: Literal["all"] | tuple[str, ...] = "all"


class Kind(TrainingSettings, Stage):
    """A training with fields of every shape."""

    kind: ClassVar[str] = "kind"

    data: Samples
    """What to learn."""
    model: Model
    inner: Inner | None = None
    packing: bool = True
    names: tuple[str, ...] = ()
    numbers: tuple[int, ...] | None = None
    parts: dict[str, float] = {}
    anything: dict[str, Any] = {}

    def run(self, context: Context) -> Metrics:
        raise NotImplementedError


OPTIONS = options_of(Kind)

READ = [
    ("--data q/mixture --model ./m", {"data": "q/mixture", "model": "./m"}),
    ("--data 7 --model null", {"data": "7", "model": "null"}),  # a name is never a number
    ("--epochs 3 --learning-rate 1e-4 --seed -1", {"epochs": 3, "learning_rate": 1e-4, "seed": -1}),
    ("--learning_rate=1e-4", {"learning_rate": 1e-4}),
    ("--epochs 1 --epochs 2", {"epochs": 2}),
    ("--max-steps null --accelerate null", {"max_steps": None, "accelerate": None}),
    ("--packing --no-gradient-checkpointing", {"packing": True, "gradient_checkpointing": False}),
    ("--packing false --epochs 2", {"packing": False, "epochs": 2}),
    ("--inner", {"inner": {}}),
    ("--inner --inner.r 8", {"inner": {"r": 8}}),
    ("--inner.r 8 --inner", {"inner": {"r": 8}}),
    ("--inner {r: 8}", {"inner": {"r": 8}}),
    ('--inner {"r":8,"target":["q"]}', {"inner": {"r": 8, "target": ["q"]}}),
    ("--inner null", {"inner": None}),
    ("--inner.target all", {"inner": {"target": "all"}}),
    ("--inner.target q", {"inner": {"target": ["q"]}}),
    ("--numbers null", {"numbers": None}),
    ("--inner.target q,k", {"inner": {"target": ["q", "k"]}}),
    ("--names q", {"names": ["q"]}),
    ("--names q,k --names v", {"names": ["q", "k", "v"]}),
    ('--names ["a,b"]', {"names": ["a,b"]}),
    ("--names @x,<think>", {"names": ["@x", "<think>"]}),
    ("--numbers 1,2", {"numbers": [1, 2]}),
    ("--parts math=1,format=0.2", {"parts": {"math": 1, "format": 0.2}}),
    ("--parts math=1 --parts format=0.2", {"parts": {"math": 1, "format": 0.2}}),
    ("--parts.math 1", {"parts": {"math": 1}}),
    ("--anything enable_thinking=false", {"anything": {"enable_thinking": False}}),
    ("--anything.a_b.c yes", {"anything": {"a_b": {"c": "yes"}}}),  # YAML 1.2: a word
]


@pytest.mark.parametrize(("line", "settings"), READ, ids=[line for line, _ in READ])
def test_words_become_settings(line: str, settings: dict[str, Any]) -> None:
    words = ["--inner", "{r: 8}"] if line == "--inner {r: 8}" else line.split()
    assert settings_of(words, OPTIONS) == settings


def test_assignments_come_last() -> None:
    found = settings_of(["--epochs", "1"], OPTIONS, ["epochs=2", "inner.r=8", "anything.x=[1]"])
    assert found == {"epochs": 2, "inner": {"r": 8}, "anything": {"x": [1]}}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--epoch 3", "no option --epoch; did you mean '--epochs'"),
        ("--inner.rr 3", r"no option --inner\.rr; did you mean '--inner\.r'"),
        ("--no-epochs", "no option --no-epochs"),
        ("--epochs", "--epochs needs a value: number >0"),
        ("--epochs --packing", "--epochs needs a value"),
        ("three", "unexpected 'three': options begin with --"),
        ("--epochs 3 4", "unexpected '4'"),
    ],
)
def test_slips_are_told(line: str, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        settings_of(line.split(), OPTIONS)


@pytest.mark.parametrize("assignment", ["epochs", "=3", "lora..r=1"])
def test_an_assignment_has_a_name_and_a_value(assignment: str) -> None:
    with pytest.raises(RequestError, match="expected FIELD=VALUE"):
        settings_of([], OPTIONS, [assignment])


def test_the_help_says_type_default_and_meaning() -> None:
    found = sections(OPTIONS)
    assert list(found)[:3] == [WHAT, TRAINING, EXECUTION]
    what = dict(found[WHAT])
    assert what["--data string"] == "What to learn. [required]"
    assert what["--inner fields or null"] == "[default: null]"
    assert what["--parts NAME=VALUE"] == "[default: {}]"
    assert dict(found[TRAINING])["--schedule cosine|linear|constant"] == "[default: cosine]"
    assert dict(found["Fields of --inner"]) == {
        "--inner.r integer": "Rank. [default: 16]",
        "--inner.target all or list of string": "[default: all]",
    }
    assert "--micro-batch integer >=1 or null" in dict(found[EXECUTION])


@pytest.mark.parametrize("kind", sorted(TRAINERS))
def test_every_field_of_every_kind_is_an_option(kind: str) -> None:
    stage = TRAINERS[kind]
    flags = {option.flag: option for option in options_of(stage)}
    assert {f"--{name.replace('_', '-')}" for name in stage.model_fields} <= set(flags)
    assert {"--lora.r", "--evaluate.problems", "--evaluate.sampling.temperature"} <= set(flags)
    assert len(flags) == len(options_of(stage))
    # Names that the command itself has (cli_train.py).
    own = {"--set", "--filter", "--name", "--dry-run", "--rebuild", "--workers", "--work", "--json"}
    assert own.isdisjoint(flags)
