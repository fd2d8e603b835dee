"""Every field's bounds, what an unset one leaves behind (nothing), and who honours which."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from typing import Any

import pytest
from pydantic import ValidationError

from potstill.models.sampling import Sampling
from potstill.pipeline.errors import RequestError

DEFAULTS = {"temperature": 0.6, "top_p": 0.95, "max_tokens": 32_768, "seed": 0}

GOOD: list[tuple[str, Any, Any]] = [
    ("temperature", 0, 0.0),
    ("temperature", 0.01, 0.01),
    ("temperature", 2, 2.0),
    ("top_p", 1, 1.0),
    ("top_k", 20, 20),
    ("top_k", -1, -1),
    ("top_k", 0, -1),
    ("min_p", 0, 0.0),
    ("min_p", 1, 1.0),
    ("max_tokens", 1, 1),
    ("min_tokens", 1, 1),
    ("seed", -5, -5),
    ("stop", "END", ["END"]),
    ("stop", ["a", "b"], ["a", "b"]),
    ("stop_token_ids", [0, 7], [0, 7]),
    ("presence_penalty", -2, -2.0),
    ("frequency_penalty", 2, 2.0),
    ("repetition_penalty", 1.1, 1.1),
    ("logit_bias", {"50256": -100}, {"50256": -100.0}),
    ("bad_words", ["x"], ["x"]),
    ("ignore_eos", True, True),
    ("reasoning_effort", "high", "high"),
    ("extra", {"chat_id": 1}, {"chat_id": 1}),
]


@pytest.mark.parametrize(("field", "value", "told"), GOOD)
def test_a_field_that_is_set_is_part_of_the_identity(field: str, value: Any, told: Any) -> None:
    sampling = Sampling.model_validate({field: value})
    assert sampling.identity() == {**DEFAULTS, field: told}
    assert json.loads(json.dumps(sampling.identity())) == sampling.identity()
    assert Sampling.model_validate(sampling.model_dump()) == sampling


def test_every_field_is_in_the_table() -> None:
    assert {field for field, _, _ in GOOD} == set(Sampling.model_fields)


def test_a_field_that_is_not_set_leaves_nothing_behind() -> None:
    """So a field that is added later renames no key that was paid for."""
    assert Sampling().identity() == DEFAULTS
    unset = {name: None for name in Sampling.model_fields if name not in DEFAULTS}
    assert Sampling.model_validate({**unset, "seed": None}).identity() == {
        name: value for name, value in DEFAULTS.items() if name != "seed"
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"temperature": -0.1}, "greater than or equal to 0"),
        ({"temperature": 2.1}, "less than or equal to 2"),
        ({"temperature": 0.005}, "no temperature between 0 and 0.01"),
        ({"temperature": float("nan")}, "finite"),
        ({"top_p": 0}, "greater than 0"),
        ({"top_p": 1.01}, "less than or equal to 1"),
        ({"top_k": -2}, "greater than or equal to -1"),
        ({"top_k": 1.5}, "integer"),
        ({"min_p": 1.1}, "less than or equal to 1"),
        ({"max_tokens": 0}, "greater than or equal to 1"),
        ({"min_tokens": 0}, "greater than or equal to 1"),
        ({"min_tokens": 6, "max_tokens": 5}, "min_tokens 6 is above max_tokens 5"),
        ({"stop": ""}, "at least 1 character"),
        ({"stop": []}, "at least 1 item"),
        ({"stop_token_ids": [-1]}, "greater than or equal to 0"),
        ({"presence_penalty": 2.1}, "less than or equal to 2"),
        ({"frequency_penalty": -2.1}, "greater than or equal to -2"),
        ({"repetition_penalty": 0}, "greater than 0"),
        ({"repetition_penalty": float("inf")}, "finite"),
        ({"logit_bias": {"the": 1}}, "match pattern"),
        ({"logit_bias": {"07": 1}}, "match pattern"),
        ({"logit_bias": {"7": 101}}, "less than or equal to 100"),
        ({"bad_words": [""]}, "at least 1 character"),
        ({"extra": {"n": 4}}, "'n' is set for each request"),
        ({"extra": {"top_k": 4}}, "'top_k' has a field of its own: write sampling.top_k"),
        ({"topk": 4}, "Extra inputs are not permitted"),
    ],
)
def test_what_no_engine_takes_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        Sampling.model_validate(given)


def test_changes_are_checked_anew_and_null_takes_back() -> None:
    base = Sampling(top_k=20, stop=("x",))
    assert base.with_changes({"top_k": None, "temperature": 1}).identity() == {
        **DEFAULTS,
        "temperature": 1.0,
        "stop": ["x"],
    }
    assert base.with_changes({}) == base
    with pytest.raises(ValidationError, match="min_tokens 40000 is above max_tokens"):
        base.with_changes({"min_tokens": 40_000})


def test_what_an_engine_would_ignore_is_refused() -> None:
    supported = frozenset({*DEFAULTS, "top_k"})
    Sampling(top_k=5).refuse_unsupported("toy", supported)
    with pytest.raises(RequestError, match=r"sampling\.min_p is set, but the engine toy cannot"):
        Sampling(min_p=0.1).refuse_unsupported("toy", supported)


@pytest.mark.skipif(find_spec("vllm") is None, reason="needs vLLM")
@pytest.mark.slow
def test_vllm_takes_what_is_allowed_here_as_it_is() -> None:
    from vllm import SamplingParams

    for field, value, _ in GOOD:
        if field in ("reasoning_effort", "extra", "seed"):
            continue
        told = Sampling.model_validate({field: value}).identity()[field]
        if field == "logit_bias":
            told = {int(token): bias for token, bias in told.items()}
        assert getattr(SamplingParams(**{field: told}), field) == told
