"""What a completion is known by, and how its text is put together."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from potstill.models.request import Completion, Keys, TeacherIdentity
from potstill.models.sampling import Sampling
from potstill.pipeline.sample import Message

TEACHER = TeacherIdentity("teacher", "abc", {"digest": "abc"})
QUESTION = (Message("user", "What is 3 + 4?"),)


def keys_of(
    sampling: Sampling | None = None,
    teacher: TeacherIdentity = TEACHER,
    messages: tuple[Message, ...] = QUESTION,
    kwargs: dict[str, Any] | None = None,
    subject: str = "p",
    n: int = 3,
    task: str = "math",
    by_task: dict[str, dict[str, Any]] | None = None,
    tier: int = 0,
) -> list[str]:
    maker = Keys(teacher, sampling or Sampling(), by_task or {}, kwargs or {}, tier)
    return [request.key for request in maker.requests(subject, task, messages, n)]


RENAMING = {
    "temperature": {"sampling": Sampling(temperature=0.7)},
    "top_k": {"sampling": Sampling(top_k=20)},
    "max_tokens": {"sampling": Sampling(max_tokens=5)},
    "seed": {"sampling": Sampling(seed=1)},
    "no seed": {"sampling": Sampling(seed=None)},
    "model": {"teacher": TeacherIdentity("teacher", "abd", {"digest": "abd"})},
    "messages": {"messages": (Message("user", "What is 3 + 5?"),)},
    "role": {"messages": (Message("system", "What is 3 + 4?"),)},
    "system": {"messages": (Message("system", "Be brief."), *QUESTION)},
    "template_kwargs": {"kwargs": {"enable_thinking": False}},
    "by_task": {"by_task": {"math": {"max_tokens": 5}}},
}


@pytest.mark.parametrize("change", RENAMING, ids=str)
def test_what_decides_an_answer_is_in_its_key(change: str) -> None:
    assert not set(keys_of()) & set(keys_of(**RENAMING[change]))


@pytest.mark.parametrize(
    "same",
    [
        {"sampling": Sampling(temperature=0.6, top_k=None)},
        {"teacher": TeacherIdentity("another name", "abc", {"digest": "abc"})},
        {"subject": "another row with the same messages"},
        {"tier": 1},
        {"task": "code"},
        {"by_task": {"code": {"max_tokens": 5}}},
        {"by_task": {"math": {"temperature": 0.6}}},
    ],
)
def test_names_and_defaults_written_out_rename_nothing(same: dict[str, Any]) -> None:
    assert keys_of() == keys_of(**same)


def test_keys_are_pinned() -> None:
    """A change here re-buys every completion that anyone has: raise CLIENT_SCHEMA knowingly."""
    assert keys_of(n=2) == PINNED


PINNED = ["1f93b7cf68eb11f7dec7c97613ef17db", "898d239e7e2cbed23914387ea01c81ea"]


@given(small=st.integers(1, 6), more=st.integers(0, 6))
def test_a_larger_n_only_adds(small: int, more: int) -> None:
    assert keys_of(n=small + more)[:small] == keys_of(n=small)


def test_each_request_has_a_seed_of_its_own_that_any_server_takes() -> None:
    requests = list(Keys(TEACHER, Sampling(seed=7), {}, {}).requests("p", "math", QUESTION, 50))
    seeds = [request.seed for request in requests]
    assert len(set(seeds)) == 50
    assert all(seed is not None and 0 <= seed < 2**31 for seed in seeds)
    unseeded = Keys(TEACHER, Sampling(seed=None), {}, {}).requests("p", "math", QUESTION, 3)
    assert {request.seed for request in unseeded} == {None}


@pytest.mark.parametrize(
    "wrong",
    [{"temperature": -1}, {"temperature": float("nan")}, {"top_p": 0}, {"max_tokens": 0}],
)
def test_sampling_that_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Sampling(**wrong)


def completion(**fields: Any) -> Completion:
    given_fields = {"text": "", "finish_reason": "stop", **fields}
    return Completion(
        key="k", prompt_tokens=1, completion_tokens=1, model="m", numerics="{}", **given_fields
    )


@pytest.mark.parametrize(
    ("fields", "whole"),
    [
        ({"text": "<think>\n3\n</think>\n7"}, "<think>\n3\n</think>\n7"),
        ({"text": "3\n</think>\n7", "prefill": "<think>\n"}, "<think>\n3\n</think>\n7"),
        ({"text": "7", "reasoning": "3"}, "<think>\n3\n</think>\n7"),
        ({"text": "\n\n7", "reasoning": "\n3\n"}, "<think>\n3\n</think>\n7"),
        ({"text": "", "reasoning": "3"}, "<think>\n3\n</think>\n"),
        ({"text": "", "reasoning": "3", "finish_reason": "length"}, "<think>\n3"),
        ({"text": "7", "reasoning": "3", "finish_reason": "length"}, "<think>\n3\n</think>\n7"),
        ({"text": ""}, ""),
    ],
)
def test_a_completion_is_put_together_whole(fields: dict[str, Any], whole: str) -> None:
    assert completion(**fields).whole_text == whole
