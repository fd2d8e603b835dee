"""What a server's response means, without a server."""

import json
from typing import Any

import pytest
from endpoints import questions
from hypothesis import given
from hypothesis import strategies as st

from potstill.models.endpoint_answer import Reader, Retry
from potstill.models.endpoint_http import retry_after
from potstill.models.request import Completion, Failure

(REQUEST,) = questions(1)
CHOICE = {"message": {"content": "7"}, "finish_reason": "stop"}


def read(data: Any, status: int = 200, wait: float | None = None, **more: Any) -> Any:
    return Reader(**more).read(REQUEST, status, json.dumps(data).encode(), wait)


@pytest.mark.parametrize(
    ("status", "data", "expected"),
    [
        (200, {"choices": [CHOICE]}, Completion),
        (200, {"choices": [{**CHOICE, "index": 0}]}, Completion),
        (200, {"choices": [CHOICE], "usage": None}, Completion),
        (200, {"choices": [CHOICE], "usage": {"completion_tokens": "7"}}, Completion),
        (200, {"choices": [CHOICE], "model": {"not": "a name"}}, Completion),
        (200, {"choices": [{**CHOICE, "message": {"content": ""}}]}, Completion),
        (
            200,
            {"choices": [{**CHOICE, "message": {"content": None, "reasoning": "3"}}]},
            Completion,
        ),
        (200, {"choices": [{**CHOICE, "message": None}]}, Retry),
        (200, {"choices": [{**CHOICE, "index": 1}]}, Retry),
        (200, {"choices": [CHOICE, CHOICE]}, Retry),
        (200, {"choices": {"0": CHOICE}}, Retry),
        (200, [CHOICE], Retry),
        (200, "text", Retry),
        (200, None, Retry),
        (500, {}, Retry),
        (504, {}, Retry),
        (418, {}, Failure),
    ],
)
def test_what_a_response_means(status: int, data: Any, expected: type) -> None:
    outcome = read(data, status)
    assert isinstance(outcome, expected)
    if isinstance(outcome, Completion):
        assert outcome.completion_tokens is None
        assert outcome.model == ""
    if isinstance(outcome, Retry):
        assert outcome.paid == (status == 200)


@pytest.mark.parametrize(
    ("status", "wait", "reason"),
    [
        (429, None, "rate_limited"),
        (429, 3.0, "rate_limited"),
        (529, None, "overloaded"),
        (503, 3.0, "overloaded"),
        (503, None, "server_error"),
        (408, None, "timeout"),
        (409, None, "conflict"),
        (425, None, "too_early"),
        (500, 3.0, "server_error"),
    ],
)
def test_why_it_is_asked_again(status: int, wait: float | None, reason: str) -> None:
    outcome = read({}, status, wait)
    assert (outcome.reason, outcome.after_s, outcome.paid) == (reason, wait, False)


@pytest.mark.parametrize(
    ("status", "words", "reason"),
    [
        (400, "This model's maximum context length is 16 tokens.", "prompt_too_long"),
        (429, "Request too large for r1 on tokens per min", "prompt_too_long"),
        (429, "Too many tokens, please wait before trying again.", None),  # a throttle's words
        (400, "unknown field", "bad_request"),
        (404, "no such model", "not_found"),
        (422, "unprocessable", "unprocessable"),
        (302, "", "bad_request"),
    ],
)
def test_what_is_for_good(status: int, words: str, reason: str | None) -> None:
    outcome = read({"error": {"message": words}}, status)
    assert isinstance(outcome, Retry if reason is None else Failure)
    assert reason is None or outcome.reason == reason


THOUGHT = "3 + 1 is 4\n</think>\n4"


@pytest.mark.parametrize(
    ("message", "prefills", "whole"),
    [
        ({"content": f"<think>\n{THOUGHT}"}, None, f"<think>\n{THOUGHT}"),
        ({"content": THOUGHT}, None, f"<think>\n{THOUGHT}"),
        ({"content": THOUGHT}, True, f"<think>\n{THOUGHT}"),
        ({"content": THOUGHT}, False, THOUGHT),
        ({"content": "4"}, None, "4"),
        ({"content": "cut while thin"}, True, "<think>\ncut while thin"),
        ({"content": f"<think>\n{THOUGHT}"}, True, f"<think>\n{THOUGHT}"),
        ({"content": f"\n<think>\n{THOUGHT}"}, True, f"\n<think>\n{THOUGHT}"),
        ({"content": "a <think> b </think> c"}, None, "a <think> b </think> c"),
        ({"content": "4", "reasoning_content": "3 + 1"}, None, "<think>\n3 + 1\n</think>\n4"),
        ({"content": "4", "reasoning": "\n3 + 1\n"}, True, "<think>\n3 + 1\n</think>\n4"),
        ({"content": THOUGHT, "reasoning_content": ""}, None, f"<think>\n{THOUGHT}"),
    ],
)
def test_a_thought_has_one_form(message: dict[str, str], prefills: bool | None, whole: str) -> None:
    outcome = read(
        {"choices": [{"message": message, "finish_reason": "stop"}]}, prefills_think=prefills
    )
    assert outcome.whole_text == whole


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "message", "content", "finish_reason", "usage", "model"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from([200, 400, 429, 500]), JSON.map(lambda data: json.dumps(data).encode()))
def test_no_json_breaks_it(status: int, body: bytes) -> None:
    outcome = Reader().read(REQUEST, status, body)
    assert isinstance(outcome, Completion | Failure | Retry)
    if isinstance(outcome, Completion):
        outcome.whole_text.encode()
        outcome.model.encode()


@given(st.integers(0, 200), st.binary(max_size=300))
def test_a_cut_answer_is_never_a_completion(cut: int, rest: bytes) -> None:
    whole = json.dumps({"choices": [CHOICE]}).encode()
    body = whole[: min(cut, len(whole) - 1)]
    assert isinstance(Reader().read(REQUEST, 200, body), Retry)
    assert not isinstance(Reader().read(REQUEST, 200, rest), Completion)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        ({"Retry-After": "-3"}, 0.0),
        ({"Retry-After": "nan"}, 0.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({"retry-after-ms": "250", "Retry-After": "1"}, 0.25),
        ({"retry-after-ms": "x", "Retry-After": "1"}, 1.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers) == seconds
