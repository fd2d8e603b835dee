"""The slow engine, for real, on a tiny model with random weights."""

import time
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from asking import ask as ask_all
from asking import completions, requests
from model_bench import CONTEXT, make_tiny_model

from potstill.models.chat import load_tokenizer, render_prompt
from potstill.models.drawing import draw
from potstill.models.request import Completion, Failure, Outcome, Request
from potstill.models.sampling import Sampling
from potstill.models.teacher import LocalTeacher
from potstill.models.transformers_teacher import BATCH, open_transformers
from potstill.pipeline.errors import RequestError, StepFailed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers"),
]

SAMPLING = Sampling(temperature=1.0, max_tokens=24, seed=3)
TINY = LocalTeacher(model="./tiny")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def ask(folder: Path, asked: list[Request]) -> list[Outcome]:
    with open_transformers(folder, TINY, {}) as teacher:
        return ask_all(teacher, asked)


def texts(folder: Path, asked: list[Request]) -> list[str]:
    """In the order of the requests."""
    found = completions(ask(folder, asked))
    return [found[request.key].text for request in asked]


def test_every_request_is_answered_once(folder: Path) -> None:
    asked = requests(70, SAMPLING)  # more than two batches
    outcomes = completions(ask(folder, asked)).values()
    assert len(outcomes) == 70
    assert {outcome.finish_reason for outcome in outcomes} <= {"stop", "length"}
    for outcome in outcomes:
        assert 1 <= (outcome.completion_tokens or 0) <= 24
        assert (outcome.finish_reason == "length") == (
            outcome.completion_tokens == 24 and "<|im_end|>" not in outcome.text
        )
    assert len({outcome.text for outcome in outcomes}) > 60


def test_the_same_requests_get_the_same_answers(folder: Path) -> None:
    asked = requests(8, SAMPLING)
    assert texts(folder, asked) == texts(folder, asked)
    other = requests(8, SAMPLING.with_changes({"seed": 4}))
    assert texts(folder, other) != texts(folder, asked)


def test_prompts_of_different_length_do_not_disturb_each_other(folder: Path) -> None:
    """Left padding is masked: greedy answers are the same alone and in company."""
    greedy = Sampling(temperature=0, max_tokens=12, repetition_penalty=1.3, stop=("7",))
    asked = requests(6, greedy) + requests(6, greedy, "A much longer question: 3 + {}?")
    alone = [text for request in asked for text in texts(folder, [request])]
    assert texts(folder, asked) == alone


def test_requests_of_one_batch_are_drawn_alike(folder: Path) -> None:
    """Samplings take turns in the queue; each gets its own."""
    short, long = SAMPLING.with_changes({"max_tokens": 3}), SAMPLING
    pairs = zip(requests(5, short), requests(5, long), strict=True)
    asked = [request for pair in pairs for request in pair]
    found = completions(ask(folder, asked))
    most = Counter(found[request.key].completion_tokens for request in asked[::2])
    assert max(filter(None, most)) == 3
    assert max(found[request.key].completion_tokens or 0 for request in asked[1::2]) > 3


def test_what_is_rendered_is_what_is_counted(folder: Path) -> None:
    (request,) = requests(1, SAMPLING)
    (outcome,) = ask(folder, [request])
    assert isinstance(outcome, Completion)
    rendered = render_prompt(load_tokenizer(folder), request.messages)
    assert outcome.prompt_tokens == len(rendered.token_ids)
    assert outcome.model == "tiny"
    assert '"engine":"transformers"' in outcome.numerics


def test_a_request_that_cannot_be_run_fails_alone(folder: Path) -> None:
    asked = requests(3, SAMPLING)
    long = requests(1, SAMPLING, text="3 + 4? " * CONTEXT)[0]
    control = requests(1, SAMPLING, text="3 <|im_end|> 4?")[0]
    outcomes = {outcome.key: outcome for outcome in ask(folder, [*asked, long, control])}
    assert len(outcomes) == 5
    failures = {o.key: o.detail for o in outcomes.values() if isinstance(o, Failure)}
    assert failures.keys() == {long.key, control.key}
    assert f"context of {CONTEXT}" in failures[long.key]


def test_the_context_ends_a_completion(folder: Path) -> None:
    (request,) = requests(1, Sampling(temperature=1.0, max_tokens=32_768))
    config = TINY.model_copy(update={"context": 40})
    with open_transformers(folder, config, {}) as teacher:
        (outcome,) = ask_all(teacher, [request])
    assert isinstance(outcome, Completion)
    assert (outcome.prompt_tokens or 0) + (outcome.completion_tokens or 0) <= 40


def test_a_prefilled_think_is_put_back(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "thinker", prefill=True)
    (outcome,) = ask(folder, requests(1, SAMPLING))
    assert isinstance(outcome, Completion)
    assert outcome.prefill == "<think>\n"
    assert outcome.whole_text == "<think>\n" + outcome.text


def test_room_is_two_batches_and_wake_ends_a_wait(folder: Path) -> None:
    with open_transformers(folder, TINY, {}) as teacher:
        assert teacher.room == 2 * BATCH
        teacher.wake()
        began = time.monotonic()
        assert teacher.poll(60) == []
        assert time.monotonic() - began < 30
        teacher.submit(requests(1, SAMPLING)[0])
        assert teacher.room == 2 * BATCH - 1


def test_leaving_abandons_what_runs(folder: Path) -> None:
    """A batch that would take minutes ends at its next token."""
    endless = Sampling(temperature=1.0, max_tokens=32_768, ignore_eos=True, seed=1)
    with open_transformers(folder, TINY, {}) as teacher:
        for request in requests(BATCH, endless):
            teacher.submit(request)
        assert teacher.poll(0.01) == []
    assert teacher._answers is not None
    found = teacher._answers.result()
    assert max(each.completion_tokens or 0 for each in found) < 200


def test_a_batch_that_fails_is_a_failed_step(folder: Path, monkeypatch: Any) -> None:
    with open_transformers(folder, TINY, {}) as teacher:

        def broken(*given: Any, **more: Any) -> Any:
            raise RuntimeError("no memory left")

        monkeypatch.setattr(teacher._network, "generate", broken)
        with pytest.raises(StepFailed, match=r"no memory left.*same command to go on"):
            ask_all(teacher, requests(1, SAMPLING))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), StepFailed, "cannot be loaded"),
        (lambda folder: (folder / "config.json").unlink(), RequestError, "config.json"),
        (lambda folder: (folder / "chat_template.jinja").unlink(), RequestError, "chat template"),
    ],
)
def test_a_broken_folder_is_refused(tmp_path: Path, make: Any, error: Any, words: str) -> None:
    folder = make_tiny_model(tmp_path / "tiny")
    make(folder)
    with pytest.raises(error, match=words):
        ask(folder, requests(1, SAMPLING))


def test_more_context_than_the_model_has_is_refused(folder: Path) -> None:
    config = TINY.model_copy(update={"context": CONTEXT + 1})
    with (
        pytest.raises(RequestError, match="max_position_embeddings"),
        open_transformers(folder, config, {}),
    ):
        pass


def test_the_draw_is_fair_and_each_row_has_its_own() -> None:
    import torch

    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1]]))
    noisy = draw(list(range(4000)))
    picked = noisy(None, logits.repeat(4000, 1)).argmax(-1)
    shares = [float((picked == token).float().mean()) for token in range(3)]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    alone = draw([1234])(None, logits).argmax(-1)
    assert int(alone) == int(picked[1234])


def test_tokens_that_were_cut_are_never_drawn() -> None:
    import torch

    noisy = draw(list(range(500)))
    scores = torch.tensor([[0.0, float("-inf"), 0.0]]).repeat(500, 1)
    assert 1 not in noisy(None, scores).argmax(-1).tolist()
