"""Echoed templates and changed models, recognised in the answers alone."""

from dataclasses import replace

import pytest
from endpoints import SAMPLING, questions

from potstill.models.endpoint_watch import DEBRIS, Watch
from potstill.models.request import Completion, Request
from potstill.pipeline.errors import StepFailed
from potstill.pipeline.sample import Message

QUESTION = "Anna has 3 apples and buys 4 more. How many has she?"


def request(text: str = QUESTION) -> Request:
    return Request("k", "p", 0, (Message("user", text),), SAMPLING, None)


def completion(text: str, model: str = "r1", raw: str = "{}") -> Completion:
    return Completion("k", text, "stop", None, None, model, "{}", raw=raw)


def watch(notes: list[str] | None = None) -> Watch:
    return Watch("host:1", ([] if notes is None else notes).append)


@pytest.mark.parametrize("begin", [*DEBRIS, QUESTION, f"\n {QUESTION}"])
def test_an_echo_in_the_first_answer_fails_the_step(begin: str) -> None:
    with pytest.raises(StepFailed, match=r"host:1.*sends its chat template back"):
        watch().saw(request(), completion(f"{begin}\nassistant\n7"))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (QUESTION, "<think>\nAnna has"),
        (QUESTION, f"The question is: {QUESTION}"),
        ("2 + 2?", "2 + 2? That is 4."),
        (QUESTION, ""),
    ],
)
def test_what_is_no_echo(question: str, text: str) -> None:
    watch().saw(request(question), completion(text))


def test_only_the_first_answer_is_looked_at() -> None:
    looking = watch()
    looking.saw(request(), completion("7"))
    looking.saw(request(), completion(QUESTION))


def test_another_model_fails_the_step() -> None:
    looking = watch()
    for name in ("alias-of-r1", "", "alias-of-r1"):
        looking.saw(request(), completion("7", name))
    with pytest.raises(StepFailed, match="'r2'; until now it was 'alias-of-r1'"):
        looking.saw(request(), completion("7", "r2"))


def test_another_build_is_noted_once() -> None:
    notes: list[str] = []
    looking = watch(notes)
    for build in ("fp_a", "fp_a", "fp_b", "fp_a", "fp_c"):
        raw = f'{{"system_fingerprint": "{build}"}}'
        looking.saw(request(), completion("7", raw=raw))
    looking.saw(request(), completion("7", raw='{"content": "\\"system_fingerprint\\": \\"x\\""}'))
    assert len(notes) == 1
    assert "fp_a and fp_b" in notes[0]


def test_a_request_without_a_question_is_no_error() -> None:
    (asked,) = questions(1)
    watch().saw(replace(asked, messages=(Message("system", "Be brief."),)), completion("7"))
