"""What every shipped filter owes: a stable identity, closed reasons, no crash, golden verdicts."""

import contextlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import potstill.filters
from potstill.filters import FILTERS
from potstill.filters.math import MathAnswer
from potstill.pipeline.catalog import Catalog
from potstill.pipeline.filter import Filter, JudgeContext, SampleFilter
from potstill.pipeline.fingerprint import canonical_json, digest_of
from potstill.pipeline.sample import Generation, Message, new_sample

every_filter = pytest.mark.parametrize("kind", FILTERS)
ASK_A_MODEL = {"votes", "reward_model"}
SETTINGS: dict[str, dict[str, Any]] = {
    "keywords": {"forbid": ["word"], "require": ["answer"]},
    "pattern": {"pattern": r"(\w+\s?)*5"},
    "votes": {"teacher": {"model": "judge", "base_url": "http://localhost:1"}},
    "reward_model": {"model": "./reward"},
}
"""What a filter cannot do without."""
by_text = pytest.mark.parametrize("kind", sorted(FILTERS.keys() - ASK_A_MODEL))


def make(kind: str, **settings: Any) -> Filter:
    return FILTERS[kind](**SETTINGS.get(kind, {}), **settings)


def content(reference: str) -> str:
    return f"what {reference} is"


@every_filter
def test_the_table_names_each_filter_by_its_kind(kind: str):
    made = make(kind)
    assert made.kind == kind
    assert isinstance(made, Filter)
    assert all(re.fullmatch("[a-z][a-z_]*", reason) for reason in made.reasons)


@every_filter
def test_a_filter_is_frozen_and_refuses_unknown_fields(kind: str):
    made = make(kind)
    with pytest.raises(ValidationError):
        made.threshold = 0.5  # type: ignore[attr-defined]
    with pytest.raises(ValidationError):
        make(kind, threshold=0.5)


@every_filter
def test_the_identity_is_plain_json_and_follows_the_config(kind: str):
    made = make(kind)
    identity = made.identity(content)
    assert json.loads(canonical_json(identity))["kind"] == kind
    assert digest_of(identity) == digest_of(make(kind).identity(content))


def test_the_config_and_the_versions_of_the_checker_are_identity():
    assert MathAnswer(cpu_seconds=9).identity() != MathAnswer().identity()
    assert set(MathAnswer().identity()["depends"]) == set(MathAnswer.depends)


def test_importing_the_filters_loads_no_heavy_library():
    heavy = {"torch", "vllm", "trl", "transformers", "datasets", "peft", "math_verify", "sympy"}
    code = "import sys, json, potstill.filters; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(json.loads(done.stdout))


PIECES = [
    *("<think>", "</think>", "<think></think>", "\\boxed{", "\\boxed{5}", "}", "{", "$", "$$"),
    *("\\(", "\\)", "\\[", "```", "`", "\n", " ", "\\frac{1}{2}", "^", "_", "!", "1", "1.5", "%"),
    *(
        "苹果",
        "答案是",
        "けん",
        "слово",
        "word ",
        "don't",
        "The answer is 5. ",
        "x1",
        "sin(",
        "\x00",
    ),
    *("\x1b[31m", "\u202e", "\u2028", "\ud800", "😀", "𝑥", "²", "(" * 40, "9^{9^9}", "\\" * 3, "-"),
]
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=14).map("".join)
keys = (
    st.none() | st.sampled_from(["5", "x^2", "", "(", "50%", "是", "1,234"]) | st.text(max_size=6)
)
languages = st.sampled_from([None, "en", "zh", "zh-Hant", "EN_us", "de", "", "-", "\ud800"])


@pytest.fixture(scope="module")
def judges():
    with contextlib.ExitStack() as stack:
        opened = {}
        for kind in FILTERS.keys() - ASK_A_MODEL:
            made = make(kind)
            assert isinstance(made, SampleFilter)
            opened[kind] = stack.enter_context(made.open(JudgeContext()))
        yield opened


def spans_in(value: Any) -> Iterator[tuple[int, int]]:
    """Every `[start, end]` under a name of evidence that holds spans, at any depth."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name.endswith("span") and inner is not None:
                yield tuple(inner)
            elif name.endswith("spans") and isinstance(inner, list):
                yield from map(tuple, inner)
            else:
                yield from spans_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from spans_in(inner)


@by_text
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(completion=st.none() | hostile, key=keys, language=languages, cut=st.booleans())
def test_hostile_text_gets_a_verdict_from_the_closed_list(
    judges, kind: str, completion: str | None, key: str | None, language: str | None, cut: bool
):
    made = Generation("t", "r", "k", 0, None, "length" if cut else "stop", None, None)
    prompt = (Message("user", "How many 苹果 has Tom?"),)
    sample = new_sample(
        prompt, completion=completion, answer=key, language=language, generation=made
    )
    (verdict,) = judges[kind].judge([sample])
    assert verdict.reason in FILTERS[kind].reasons, "an accident is no opinion"
    assert completion is not None or verdict.score is None
    verdict.to_row("id")["evidence"].encode("utf-8")
    for start, end in spans_in(dict(verdict.evidence)):
        assert 0 <= start <= end <= len(completion or "")


LONG = 60_000
"""Characters at which anything quadratic takes longer than a worker may."""


@by_text
@pytest.mark.parametrize("piece", [*PIECES, "a-", "a'", "<a", "http://", "a@", "aB", "\\begin{a}"])
def test_long_hostile_text_is_judged_in_linear_time(judges, kind: str, piece: str):
    text = piece * (LONG // len(piece))
    rows = [
        new_sample((), completion=start + text, language="zh", answer="5")
        for start in ("<think>", "<think>a</think>")
    ]
    assert {verdict.reason for verdict in judges[kind].judge(rows)} <= FILTERS[kind].reasons


def test_the_filter_in_the_docstring_works_and_is_short(tmp_path, monkeypatch):
    """The example of the package docstring, as a user's module named in a recipe."""
    lines = (potstill.filters.__doc__ or "").split("\n")
    code = [line[4:] for line in lines if line.startswith("    ")]
    assert len([line for line in code if line.strip()]) <= 15
    (tmp_path / "my_filters.py").write_text("\n".join(code), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = Catalog(stages={}, filters=FILTERS).filter("my_filters:Hedging")
    assert issubclass(found, SampleFilter)
    with found(word="perhaps").open(JudgeContext()) as judge:  # type: ignore[call-arg]
        texts = ["<think>perhaps</think>5", "<think>surely</think>5", None]
        verdicts = judge.judge([new_sample((), completion=text) for text in texts])
    assert [(v.score, v.reason) for v in verdicts] == [
        (0.5, "hedges"),
        (1.0, "ok"),
        (None, "no_completion"),
    ]
