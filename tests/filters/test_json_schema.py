"""Finding and parsing JSON, schemas that cannot be used; judgements: cases/json_schema.jsonl."""

import contextlib
import json
import urllib.request

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.filters.json_schema import JsonSchema
from potstill.filters.structured.json_text import NotJson, find_json, parse_json
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.outcome import Crashed, OutOfMemory, Raised, TimedOut
from potstill.pipeline.sample import new_sample


def judge(completion, **config):
    return JsonSchema(**config).judge_one(new_sample((), completion=completion))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(values, st.sampled_from(["{}", "```json\n{}\n```", "So:\n\n```\n{}\n```\nDone."]))
def test_whatever_json_writes_is_read_back(value, form):
    text = json.dumps(value, ensure_ascii=False)
    answer = form.replace("{}", text)
    found = find_json(answer)
    assert answer[slice(*found.span)] == text
    assert parse_json(text, 64) == value


@given(st.text(st.sampled_from('{}[]",:1 \\\n`~ajson')))
def test_no_text_raises_anything_else(text):
    found = find_json(text)
    assert text[slice(*found.span)] == text[slice(*found.span)].strip()
    with contextlib.suppress(NotJson):
        parse_json(text[slice(*found.span)], 64)
    assert judge(text).reason in JsonSchema.reasons


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "strnig"}, "strnig"),
        ({"pattern": "("}, "regex"),
        ({"$ref": "#"}, "refers to itself without end"),
        ({"allOf": [{"$ref": "#"}]}, "refers to itself without end"),
        ({"$ref": "#/$defs/x"}, "leads nowhere"),
        ({"properties": {"a": {"$ref": "https://example.org/a.json"}}}, "nothing is fetched"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_when_the_recipe_is_read(schema, message):
    with pytest.raises(ValidationError, match=message):
        JsonSchema(schema=schema)


def test_nothing_is_fetched(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    with pytest.raises(ValidationError):
        JsonSchema(schema={"$ref": "https://example.org/a.json"})
    row = new_sample((), completion="{}", extra='{"schema": {"$ref": "http://example.org/b"}}')
    assert JsonSchema().judge_one(row).reason == "unusable_schema"


def test_what_is_data_in_a_schema_is_no_reference():
    schema = {"enum": [{"$ref": "nowhere"}]}
    assert judge('{"$ref": "nowhere"}', schema=schema).score == 1.0


def test_the_evidence_says_where_and_what():
    schema = {"properties": {"a": {"items": {"type": "integer"}}}}
    evidence = judge('Look:\n```json\n{"a": [1, "x"]}\n```', schema=schema).evidence
    assert (evidence["path"], evidence["rule"]) == ("$.a[1]", "type")
    assert "'x'" in evidence["message"]
    assert evidence["json_span"] == [14, 29]


def test_a_long_value_makes_no_long_evidence():
    evidence = judge(json.dumps("x" * 100_000), schema={"type": "integer"}).evidence
    assert len(evidence["message"]) <= 200


def test_a_schema_that_runs_for_ever_costs_its_row():
    made = JsonSchema(schema={"pattern": "^(a|aa)+$"}, cpu_seconds=0.5)
    rows = [new_sample((), completion=json.dumps(text)) for text in ("a" * 80 + "!", "aa")]
    with made.open(JudgeContext()) as opened:
        endless, fine = opened.judge(rows)
    assert (endless.score, endless.reason) == (0.0, "too_complex")
    assert fine.score == 1.0


@pytest.mark.parametrize(
    ("outcome", "score", "reason"),
    [
        (TimedOut(5.0), 0.0, "too_complex"),
        (OutOfMemory(1 << 30), 0.0, "too_complex"),
        (Raised("RecursionError", ""), 0.0, "too_complex"),
        (Raised("ValueError", ""), None, "worker_crashed"),
        (Crashed("signal 9"), None, "worker_crashed"),
    ],
)
def test_whose_doing_a_failure_is(outcome, score, reason):
    verdict = JsonSchema().failed(new_sample((), completion="{}"), outcome, None)
    assert (verdict.score, verdict.reason) == (score, reason)


@pytest.mark.parametrize(
    "piece", ["[", '{"a":', '"', '\\"', "```json\n", "~~~\n", "1", "{}\n", " "]
)
def test_long_hostile_text_is_judged_in_linear_time(piece):
    """Not timed: quadratic work on 200,000 characters would run into the test timeout."""
    judge(piece * (200_000 // len(piece)))
