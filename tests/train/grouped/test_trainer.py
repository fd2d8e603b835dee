"""What trl makes of our groups, in numbers: served tokens, unknown rewards, buffers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import PrivateAttr
from toys import InProcess

from potstill.models.chat import load_tokenizer, render_prompt
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Message, Sample
from potstill.pipeline.stage import Context
from potstill.pipeline.verdict import Verdict
from potstill.train.grpo import Grpo
from potstill.train.running.bench import Bench

Benches = Callable[..., tuple[Grpo, Bench]]


class Dictated(InProcess):
    """Scores in the order in which it is asked, over and over."""

    kind: ClassVar[str] = "dictated"
    reasons: ClassVar[frozenset[str]] = frozenset({"known", "unknown"})
    scores: tuple[float | None, ...]
    _asked: int = PrivateAttr(default=0)

    def judge_one(self, sample: Sample) -> Verdict:
        score = self.scores[self._asked % len(self.scores)]
        self._asked += 1
        return Verdict(score, "unknown" if score is None else "known")


def rows(bench: Bench, problems: int, completions: int) -> list[dict[str, Any]]:
    """What the sampler gives trl: each problem several times."""
    return [row for row in list(bench.dataset())[:problems] for _ in range(completions)]


def scored(bench: Benches, context: Context, problems: int, **fields: Any) -> tuple[Any, Any]:
    """The trainer, and the tensors of one generation."""
    stage, made = bench(context, **fields)
    with stage.open_trainer(made) as trainer:
        trainer.model.train()
        return trainer, trainer._generate_and_score_completions(
            rows(made, problems, stage.completions)
        )


TEMPLATES = [
    ("qwen", None),
    ("llama", None),
    ("qwen", "{{ bos_token or '' }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}"
     "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n"
     "{% endif %}"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "template"), TEMPLATES)
def test_the_policy_is_asked_with_the_served_tokens(
    bench: Benches,
    asked: Callable[..., Context],
    students: dict[str, Path],
    tmp_path: Path,
    family: str,
    template: str | None,
) -> None:
    """As `render_prompt` makes them, which is also what trl would make of the messages."""
    import shutil

    from trl import GRPOTrainer

    folder = tmp_path / "templated"
    shutil.copytree(students[family], folder)
    if template is not None:
        (folder / "chat_template.jinja").write_text(template)
    given = asked(student=folder)
    trainer, tensors = scored(bench, given, problems=4)
    tokenizer = load_tokenizer(folder)
    prompts = [sample.prompt for sample in list(given.samples("mixture").samples())[:4]]
    rendered = [render_prompt(tokenizer, prompt).token_ids for prompt in prompts]
    seen = [
        [token for token, real in zip(ids, mask, strict=True) if real]
        for ids, mask in zip(
            tensors["prompt_ids"].tolist(), tensors["prompt_mask"].tolist(), strict=True
        )
    ]
    assert seen == [tokens for tokens in rendered for _ in range(4)]
    turns = [[{"role": turn.role, "content": turn.content} for turn in each] for each in prompts]
    theirs, _, _ = GRPOTrainer._tokenize_prompts(trainer, turns)
    assert theirs == rendered
    texts = [rollout.sample.completion for rollout in trainer._batch.rollouts]
    assert all(text.startswith("<think>\n") for text in texts) == (template is not None)


MIXED = (1.0, 0.0, None, 0.5, 0.25, 0.25, 0.25, 0.25, None, 1.0, None, None)
"""Three groups: one with an unknown reward, one of equal rewards, one with a single known one."""


def test_unknown_is_left_out_and_not_zero(bench: Benches, asked: Callable[..., Context]) -> None:
    """By the formula, on paper: (reward - mean) / (deviation + 1e-4) of the known rewards."""
    import statistics

    given = asked(filters={"one": Dictated(scores=MIXED)})
    trainer, tensors = scored(bench, given, problems=3, batch_size=12)
    known = [1.0, 0.0, 0.5]
    mean, deviation = statistics.mean(known), statistics.stdev(known)
    first = [(reward - mean) / (deviation + 1e-4) for reward in known]
    expected = [first[0], first[1], 0.0, first[2], *[0.0] * 8]
    assert tensors["advantages"].tolist() == pytest.approx(expected, abs=1e-6)

    # No token of an unknown completion is in the loss, and the others' average is over theirs.
    tokens = tensors["completion_mask"].sum(dim=1).tolist()
    lengths = [len(rollout.tokens) for rollout in trainer._batch.rollouts]
    known_length = [
        0 if reward is None else length for reward, length in zip(MIXED, lengths, strict=True)
    ]
    assert tokens == known_length
    assert tensors["num_items_in_batch"].item() == sum(known_length)
    logged = trainer._metrics["train"]
    assert [logged[f"groups/{kind}"] for kind in ("teaching", "zero_variance", "unknown")] == [
        [1], [1], [1],
    ]  # fmt: skip
    assert logged["reward_parts/unknown"] == [pytest.approx(4 / 12)]
    assert logged["reward"] == [pytest.approx((1.5 + 1.0 + 1.0) / 8)]


@pytest.mark.parametrize("beta", [0.0, 0.1])
def test_an_unknown_completion_moves_no_weight(
    bench: Benches, asked: Callable[..., Context], beta: float
) -> None:
    """The gradient is that of the batch without it: neither its tokens nor its KL count."""
    import torch

    def gradient(trainer: Any, tensors: dict[str, Any], chosen: Sequence[int]) -> Any:
        part = {
            name: value[list(chosen)] if value.ndim else value for name, value in tensors.items()
        }
        trainer.model.zero_grad()
        trainer.current_gradient_accumulation_steps = 1
        trainer._compute_loss(trainer.model, part).backward()
        return torch.cat([each.grad.flatten() for each in trainer.model.parameters()])

    given = asked(filters={"one": Dictated(scores=MIXED[:4])})
    trainer, tensors = scored(bench, given, problems=1, batch_size=4, beta=beta)
    with torch.no_grad():  # away from the start, where every KL is zero
        for weights in trainer.model.parameters():
            weights.add_(0.01 * torch.sin(torch.arange(weights.numel())).view_as(weights))
    whole, without = (gradient(trainer, tensors, rows) for rows in (range(4), (0, 1, 3)))
    torch.testing.assert_close(whole, without, rtol=1e-4, atol=1e-7)
    assert whole.abs().max() > 1e-4

    plain = {**tensors, "completion_mask": (tensors["completion_ids"] != -1).long()}
    plain["num_items_in_batch"] = plain["completion_mask"].sum()
    assert not torch.allclose(whole, gradient(trainer, plain, range(4)), rtol=1e-2)


def test_a_batch_of_only_unknown_rewards_stops_the_training(
    train: Callable[..., Any], toy: Sequence[Sample]
) -> None:
    from dataclasses import replace

    from potstill.filters.math import MathAnswer

    without_keys = [replace(sample, answer=None) for sample in toy]
    with pytest.raises(RequestError, match=r"all 16 completions .* unknown.*one: no_key \(16x\)"):
        train(samples=without_keys, filters={"one": MathAnswer()})


def test_generations_are_used_as_often_as_they_should(
    bench: Benches, asked: Callable[..., Context], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two optimizer steps of two micro-batches on each generation, twice over."""
    from potstill.train.grouped.rollouts import Drawing

    drawn: list[int] = []
    original = Drawing.draw

    def watched(self: Drawing, problems: Any, generate: Any, step: int, share: Any) -> Any:
        drawn.append(step)
        assert len({row["id"] for row in problems}) == len(problems) == 8
        return original(self, problems, generate, step, share)

    monkeypatch.setattr(Drawing, "draw", watched)
    stage, made = bench(
        asked(), micro_batch=8, updates_per_generation=2, num_iterations=2, max_steps=9
    )
    with stage.open_trainer(made) as trainer:
        trained: list[Any] = []
        compute = trainer._compute_loss

        def loss(model: Any, inputs: dict[str, Any]) -> Any:
            trained.append(inputs["completion_ids"])
            assert "old_per_token_logps" in inputs
            return compute(model, inputs)

        trainer._compute_loss = loss
        trainer.train()
    assert drawn == [0, 4, 8]
    assert len(trained) == 18
    assert all(a is b for a, b in zip(trained[:4], trained[4:8], strict=True))
    assert sum(len(each) for each in trained[:4]) == 32


def test_a_message_is_not_lost(asked: Callable[..., Context], bench: Benches) -> None:
    """Prompts of several turns reach the filters as they are."""
    from potstill.pipeline.sample import new_sample

    turns = (Message("system", "2 + 4 = ?"), Message("user", "4 + 6 = ?"))
    given = asked(samples=[new_sample(turns, answer="6", task="math", language="en")])
    trainer, _ = scored(bench, given, problems=1, batch_size=4)
    sample = trainer._batch.rollouts[0].sample
    assert sample.prompt == turns
    assert (sample.answer, sample.task, sample.language) == ("6", "math", "en")


def test_looking_at_the_student_changes_nothing(train: Callable[..., Any]) -> None:
    """Evaluation while training draws from generators of its own."""
    look = {
        "problems": "mixture",
        "correct": "one",
        "every": 1,
        "limit": 4,
        "sampling": {"temperature": 1.0, "max_tokens": 8, "seed": 1},
    }
    plain, watched = train("plain-00000000"), train("watched-00000000", evaluate=look)
    assert watched.log == plain.log
    assert watched.metrics["after"]["step"] == 3
