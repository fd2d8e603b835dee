"""The slow engine, for real, on a tiny model with random weights."""

from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from model_bench import CONTEXT, make_tiny_model

from potstill.models.chat import load_tokenizer, render_prompt
from potstill.models.request import Completion, Failure, Keys, Request, Sampling, TeacherIdentity
from potstill.models.transformers_teacher import _draw, open_transformers
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.sample import Message

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers"),
]

SAMPLING = Sampling(temperature=1.0, max_tokens=24, seed=3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


def requests(number: int, sampling: Sampling = SAMPLING, text: str = "3 + {}?") -> list[Request]:
    keys = Keys(TeacherIdentity("tiny", "", {}), sampling, {})
    return [
        request
        for place in range(number)
        for request in keys.requests(f"p{place}", (Message("user", text.format(place)),), 1)
    ]


def ask(folder: Path, asked: list[Request], sampling: Sampling = SAMPLING) -> list[Any]:
    with open_transformers(folder, None, sampling, {}) as teacher:
        return list(teacher.sample(asked))


def test_every_request_is_answered_once_in_order(folder: Path) -> None:
    asked = requests(70)  # more than two batches
    outcomes = ask(folder, asked)
    assert [outcome.key for outcome in outcomes] == [request.key for request in asked]
    assert all(isinstance(outcome, Completion) for outcome in outcomes)
    finished = Counter(outcome.finish_reason for outcome in outcomes)
    assert set(finished) <= {"stop", "length"}
    for outcome in outcomes:
        assert 1 <= outcome.completion_tokens <= 24
        assert (outcome.finish_reason == "length") == (
            outcome.completion_tokens == 24 and "<|im_end|>" not in outcome.text
        )
    assert len({outcome.text for outcome in outcomes}) > 60


def test_the_same_requests_get_the_same_answers(folder: Path) -> None:
    asked = requests(8)
    assert ask(folder, asked) == ask(folder, asked)
    other = requests(8, Sampling(temperature=1.0, max_tokens=24, seed=4))
    assert [o.text for o in ask(folder, other)] != [o.text for o in ask(folder, asked)]


def test_prompts_of_different_length_do_not_disturb_each_other(folder: Path) -> None:
    """Left padding is masked: greedy answers are the same alone and in company."""
    greedy = Sampling(temperature=0, max_tokens=12)
    asked = requests(6, greedy, "3 + 4?") + requests(6, greedy, "A much longer question: 3 + {}?")
    together = [outcome.text for outcome in ask(folder, asked, greedy)]
    alone = [outcome.text for request in asked for outcome in ask(folder, [request], greedy)]
    assert together == alone


def test_what_is_rendered_is_what_is_counted(folder: Path) -> None:
    (request,) = requests(1)
    (outcome,) = ask(folder, [request])
    rendered = render_prompt(load_tokenizer(folder), request.messages)
    assert outcome.prompt_tokens == len(rendered.token_ids)
    assert outcome.model == "tiny"
    assert '"engine":"transformers"' in outcome.numerics


def test_a_request_that_cannot_be_run_fails_alone(folder: Path) -> None:
    asked = requests(3)
    long = requests(1, text="3 + 4? " * CONTEXT)[0]
    control = requests(1, text="3 <|im_end|> 4?")[0]
    outcomes = {outcome.key: outcome for outcome in ask(folder, [*asked, long, control])}
    assert len(outcomes) == 5
    failures = [o for o in outcomes.values() if isinstance(o, Failure)]
    assert {failure.reason for failure in failures} == {"prompt_too_long", "special_token_in_text"}
    assert f"context of {CONTEXT}" in outcomes[long.key].detail


def test_the_context_ends_a_completion(folder: Path) -> None:
    endless = Sampling(temperature=1.0, max_tokens=32_768)
    (request,) = requests(1, endless)
    with open_transformers(folder, 40, endless, {}) as teacher:
        (outcome,) = teacher.sample([request])
    assert isinstance(outcome, Completion)
    assert (outcome.prompt_tokens or 0) + (outcome.completion_tokens or 0) <= 40


def test_a_prefilled_think_is_put_back(tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "thinker", prefill=True)
    (outcome,) = ask(folder, requests(1))
    assert outcome.prefill == "<think>\n"
    assert outcome.whole_text == "<think>\n" + outcome.text


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
        ask(folder, requests(1))


def test_more_context_than_the_model_has_is_refused(folder: Path) -> None:
    with (
        pytest.raises(RequestError, match="max_position_embeddings"),
        open_transformers(folder, CONTEXT + 1, SAMPLING, {}),
    ):
        pass


def test_the_draw_is_fair_and_each_row_has_its_own() -> None:
    import torch

    logits = torch.log(torch.tensor([[0.7, 0.2, 0.1]]))
    draw = _draw(list(range(4000)))
    picked = draw(None, logits.repeat(4000, 1)).argmax(-1)
    shares = [float((picked == token).float().mean()) for token in range(3)]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    alone = _draw([1234])(None, logits).argmax(-1)
    assert int(alone) == int(picked[1234])


def test_tokens_that_were_cut_are_never_drawn() -> None:
    import torch

    draw = _draw(list(range(500)))
    scores = torch.tensor([[0.0, float("-inf"), 0.0]]).repeat(500, 1)
    assert 1 not in draw(None, scores).argmax(-1).tolist()
