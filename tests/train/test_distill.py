"""Distillation of tiny real models by trl: the same rows as sft, the teacher's distributions."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from potstill.models.chat import load_tokenizer, render_prompt
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError, StoppedOnPurpose
from potstill.pipeline.progress import Event
from potstill.pipeline.references import Execution, walk
from potstill.pipeline.sample import Message, Sample, new_sample
from potstill.pipeline.stage import Context
from potstill.train import TRAINERS
from potstill.train.distill import Distill
from potstill.train.running.bench import Bench
from potstill.train.running.numerics import choose_numerics
from potstill.train.sft import Sft
from potstill.train.students.student import open_student

Mix = Callable[..., Artifact]
Make = Callable[..., Context]
Given = Callable[..., Context]


@pytest.fixture(scope="module")
def teachers(
    students: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Other random weights than the student's: as they are, and with padded embeddings."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    folders = {"llama": students["llama"], "same": students["qwen"]}
    for name, more in (("other", 0), ("padded", 24)):
        folder = folders[name] = tmp_path_factory.mktemp(name)
        shutil.copytree(students["qwen"], folder, dirs_exist_ok=True)
        config = AutoConfig.from_pretrained(folder)
        config.vocab_size += more
        config.hidden_size, config.tie_word_embeddings = 96, False
        torch.manual_seed(1)
        AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    return folders


@pytest.fixture
def given(context: Make, students: dict[str, Path], teachers: dict[str, Path]) -> Given:
    """A context with a teacher beside the student."""

    def make(data: Artifact, teacher: str = "other", name: str = "out", **more: Any) -> Context:
        made = context(data, students["qwen"], name, **more)
        return replace(made, paths={**made.paths, "./teacher": teachers[teacher]})

    return make


def distill(**fields: Any) -> Distill:
    quick = {"batch_size": 8, "learning_rate": 3e-3, "epochs": 4}
    names = {"data": "mixture", "model": "./student", "teacher": "./teacher"}
    return Distill(**{**names, **quick, **fields})


def on_policy(**fields: Any) -> Distill:
    return distill(mode="on_policy", **{"max_tokens": 16, **fields})


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log" / "steps.jsonl").open()]


def bench_of(stage: Any, given: Context, student: Path) -> Bench:
    opened = open_student(student, "./student", stage)
    rows = stage.prepare(given, opened).table
    numerics = choose_numerics(stage, 1, 1)
    return Bench(stage, given, opened, numerics, rows, given.out / "checkpoints", True)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"beta": 1.0, "temperature": 2.0},
        {"beta": 0.5, "lora": {"r": 8}, "learning_rate": 1e-2},
        {"mode": "on_policy", "max_tokens": 16},
    ],
    ids=json.dumps,
)
def test_the_student_comes_nearer_to_the_teacher(
    toy: list[Sample], mixture: Mix, given: Given, fields: dict[str, Any]
) -> None:
    context = given(mixture(toy))
    metrics = distill(**fields).run(context)
    log = log_of(context.out)
    assert metrics["loss_last"] < 0.7 * metrics["loss_first"]
    assert log[-1]["loss"] > 0
    assert metrics["teacher"] == {"embeddings": 302, "prompts_agree": True}
    assert (context.out / "model.safetensors").exists()


@pytest.mark.parametrize("mode", ["same_data", "on_policy"])
def test_nothing_is_learnt_from_oneself(
    toy: list[Sample], mixture: Mix, given: Given, mode: str
) -> None:
    context = given(mixture(toy[:8]), "same")
    distill(mode=mode, epochs=1, **({"max_tokens": 8} if mode == "on_policy" else {})).run(context)
    assert log_of(context.out)[0]["loss"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("micro_batch", [8, 2])
def test_same_data_are_the_rows_order_and_masks_of_sft(
    toy: list[Sample],
    mixture: Mix,
    given: Given,
    students: dict[str, Path],
    micro_batch: int,
) -> None:
    """Also where a row is left out, and turned into a loss: before the first step, `sft_loss` is
    the loss of sft, and `teacher_loss` the one that sft would begin with from the teacher."""
    rows = [*toy, replace(toy[0], completion="so<|im_end|>")]
    how = {"micro_batch": micro_batch, "max_length": 100, "epochs": 1}
    data = mixture(rows)
    context = given(data, name="distilled")
    stages = [distill(**how), Sft(**_shared(distill(**how)))]
    benches = [bench_of(stage, context, students["qwen"]) for stage in stages]
    assert benches[0].rows.equals(benches[1].rows)
    assert benches[0].rows.num_rows == len(toy)
    batches = []
    for stage, bench in zip(stages, benches, strict=True):
        with stage.open_trainer(bench) as trainer:
            batches.append(list(trainer.get_train_dataloader()))
    for ours, theirs in zip(*batches, strict=True):
        assert ours.keys() == theirs.keys()
        assert all(ours[name].equal(theirs[name]) for name in ours)

    stages[0].run(context)
    log = log_of(context.out)
    for name, start in (("sft_loss", students["qwen"]), ("teacher_loss", None)):
        asked = given(data, name=name)
        begin = asked.paths["./teacher"] if start is None else start
        stages[1].run(replace(asked, paths={**asked.paths, "./student": begin}))
        assert log[0][name] == pytest.approx(log_of(asked.out)[0]["loss"], rel=1e-4)


def _shared(stage: Distill) -> dict[str, Any]:
    return {name: getattr(stage, name) for name in Sft.model_fields if hasattr(stage, name)}


def test_the_loss_is_trls_own(
    toy: list[Sample], mixture: Mix, given: Given, students: dict[str, Path]
) -> None:
    """Without temperature, which trl's loss leaves out."""
    from trl.experimental.gkd import GKDTrainer

    stage = distill(beta=0.3)
    with stage.open_trainer(bench_of(stage, given(mixture(toy[:8])), students["qwen"])) as trainer:
        batch = next(iter(trainer.get_train_dataloader()))
        trainer.current_gradient_accumulation_steps = 1  # as in training
        for tokens in (None, 77):
            ours = trainer.compute_loss(trainer.model, batch, num_items_in_batch=tokens)
            theirs = GKDTrainer.compute_loss(
                trainer, trainer.model, batch, num_items_in_batch=tokens
            )
            assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
        trainer.temperature = 3.0
        soft = trainer.compute_loss(trainer.model, batch, num_items_in_batch=77)
        assert soft.item() < 0.5 * ours.item()


def test_the_load_of_experts_is_balanced_as_in_sft(
    toy: list[Sample], mixture: Mix, given: Given, students: dict[str, Path], tmp_path: Path
) -> None:
    from transformers import Qwen3MoeConfig, Qwen3MoeForCausalLM

    folder = shutil.copytree(students["qwen"], tmp_path / "moe")
    config = Qwen3MoeConfig(
        vocab_size=302,
        hidden_size=32,
        moe_intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        num_experts=4,
        num_experts_per_tok=2,
        router_aux_loss_coef=0.1,
        output_router_logits=True,
    )
    Qwen3MoeForCausalLM(config).save_pretrained(folder)
    context = given(mixture(toy[:8]))
    context = replace(context, paths={"./student": folder, "./teacher": folder})
    stage = distill()
    with stage.open_trainer(bench_of(stage, context, folder)) as trainer:
        trainer.current_gradient_accumulation_steps = 2
        batch = next(iter(trainer.get_train_dataloader()))
        loss, outputs = trainer.compute_loss(trainer.model, batch, True, num_items_in_batch=77)
    assert outputs.aux_loss > 0
    assert loss.item() == pytest.approx(0.1 * outputs.aux_loss.item() / 2, rel=1e-4)


def test_the_student_is_asked_with_the_served_tokens(
    toy: list[Sample], mixture: Mix, given: Given, students: dict[str, Path]
) -> None:
    twice = [toy[0], *toy[:7]]
    stage = on_policy(batch_size=4, micro_batch=2)
    bench = bench_of(stage, given(mixture(twice)), students["qwen"])
    tokenizer = load_tokenizer(students["qwen"])
    served = [render_prompt(tokenizer, sample.prompt).token_ids for sample in toy[:7]]
    assert bench.rows["prompt"].to_pylist() == served
    with stage.open_trainer(bench) as trainer:
        trainer.model.train()
        written = []
        for batch in trainer.get_train_dataloader():
            written.append(trainer._prepare_inputs(batch))
            trainer._step += 1  # as a training step does
    assert len(written) == 4  # two batches of four problems, in two micro-batches each
    asked = []
    for batch in written:
        for ids, there in zip(batch["prompt_ids"], batch["prompt_mask"], strict=True):
            asked.append(ids[there.bool()].tolist())
    assert len(asked) == 8
    assert {tuple(ids) for ids in asked} == {tuple(ids) for ids in served}
    ends = {tokenizer.convert_tokens_to_ids("<|im_end|>"), tokenizer.eos_token_id}
    assert set(trainer.eos_token_ids) == ends


class StopAt(list[Event]):
    """Wishes to stop after an optimizer step."""

    context: Context

    def append(self, event: Event) -> None:
        if event.get("facts", {}).get("phase") == "train" and event["done"] == 5:
            self.context.stop.requested = True


@pytest.mark.parametrize("mode", ["same_data", "on_policy"])
def test_a_stopped_distillation_goes_on_to_the_same_curve(
    toy: list[Sample], mixture: Mix, given: Given, mode: str
) -> None:
    own = {"max_tokens": 8} if mode == "on_policy" else {}
    stage = distill(mode=mode, micro_batch=4, epochs=2, **own)
    data = mixture(toy)
    whole, stopping = given(data, name="whole"), StopAt()
    stage.run(whole)
    stopped = stopping.context = given(data, name="stopped", events=stopping)
    with pytest.raises(StoppedOnPurpose, match="stopped after step 6 of 8"):
        stage.run(stopped)
    stage.run(replace(stopped, stop=type(stopped.stop)(), progress=whole.progress))
    assert log_of(whole.out) == log_of(stopped.out)
    weights = [(each.out / "model.safetensors").read_bytes() for each in (whole, stopped)]
    assert weights[0] == weights[1]


@pytest.mark.parametrize("mode", ["same_data", "on_policy"])
def test_a_teacher_of_another_vocabulary_is_refused(
    toy: list[Sample], mixture: Mix, given: Given, mode: str
) -> None:
    message = r"not the student's \(304 tokens against 302; 10 differ\).* token of student and tok"
    with pytest.raises(RequestError, match=message):
        distill(mode=mode).run(given(mixture(toy), "llama"))


def test_a_teacher_with_fewer_embeddings_is_refused(
    toy: list[Sample], mixture: Mix, given: Given, teachers: dict[str, Path]
) -> None:
    context = given(mixture(toy))
    context = replace(context, paths={**context.paths, "./student": teachers["padded"]})
    with pytest.raises(RequestError, match=r"has 302 embeddings and the student student 326"):
        distill().run(context)


def test_a_swapped_token_is_refused(
    toy: list[Sample], mixture: Mix, given: Given, tmp_path: Path, teachers: dict[str, Path]
) -> None:
    """The same number of tokens, and the same texts: two ids are exchanged."""
    folder = shutil.copytree(teachers["other"], tmp_path / "swapped")
    file = folder / "tokenizer.json"
    body = json.loads(file.read_text())
    vocabulary = body["model"]["vocab"]
    vocabulary["a"], vocabulary["b"] = vocabulary["b"], vocabulary["a"]
    file.write_text(json.dumps(body))
    context = given(mixture(toy))
    with pytest.raises(RequestError, match=r"2 differ\). 'a' is token \d+ of student and token \d"):
        distill().run(replace(context, paths={**context.paths, "./teacher": folder}))


def test_rows_that_no_token_has_are_cut_off_the_teacher(
    toy: list[Sample], mixture: Mix, given: Given, students: dict[str, Path]
) -> None:
    from transformers import AutoModelForCausalLM

    context = given(mixture(toy[:8]), "padded")
    metrics = distill(epochs=1).run(context)
    assert metrics["teacher"]["embeddings"] == 326
    assert metrics["loss_first"] > 0
    saved = AutoModelForCausalLM.from_pretrained(context.out)
    assert saved.get_input_embeddings().num_embeddings == 302


def test_another_template_is_told(
    toy: list[Sample], mixture: Mix, given: Given, tmp_path: Path, teachers: dict[str, Path]
) -> None:
    folder = shutil.copytree(teachers["other"], tmp_path / "verbose")
    template = folder / "chat_template.jinja"
    template.write_text("Hello! " + template.read_text())
    events: list[Event] = []
    context = given(mixture(toy[:8]), events=events)
    context = replace(context, paths={**context.paths, "./teacher": folder})
    metrics = distill(epochs=1).run(context)
    assert metrics["teacher"]["prompts_agree"] is False
    notes = [event["text"] for event in events if event["event"] == "note"]
    assert any("makes other tokens of the same prompts" in note for note in notes)


def test_problems_without_room_are_refused_or_left_out(
    toy: list[Sample], mixture: Mix, given: Given, students: dict[str, Path]
) -> None:
    long = new_sample((Message("user", "why? " * 100),))
    context = given(mixture([*toy[:4], long, toy[0]]))
    student = open_student(students["qwen"], "./student")
    with pytest.raises(RequestError, match="1 of 6 prompts leave no room for max_tokens 16"):
        on_policy().prepare(context, student)
    metrics = on_policy(over_length="drop").prepare(context, student).metrics
    assert metrics["left_out"] == {"same_problem": 1, "too_long": 1}
    assert (metrics["in"], metrics["problems"]) == (6, 4)
    with pytest.raises(RequestError, match="no problem of 'mixture' can be asked"):
        on_policy(over_length="drop", max_tokens=256).prepare(context, student)


def test_vllm_is_refused_where_it_cannot_run(toy: list[Sample], mixture: Mix, given: Given) -> None:
    with pytest.raises(RequestError, match="engine: vllm was asked for"):
        on_policy(engine="vllm", device="cpu").run(given(mixture(toy)))


REFUSED = [
    ({"mode": "on_policy", "max_length": 64}, "max_length: only with mode: same_data"),
    ({"max_tokens": 64, "top_p": 0.9}, "max_tokens, top_p: only with mode: on_policy"),
    ({"mode": "on_policy", "over_length": "split"}, "split cuts completions"),
    ({"beta": 1.5}, "less than or equal to 1"),
    ({"temperature": 0}, "greater than 0"),
    ({"packing": True}, "Extra inputs are not permitted"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED)
def test_fields_that_do_not_fit(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        distill(**fields)


def test_distill_is_a_kind_of_step() -> None:
    assert TRAINERS["distill"] is Distill
    assert (Distill.kind, Distill.makes, Distill.expensive) == ("distill", "model", True)
    how = {mark.at[-1] for mark in walk(distill()) if isinstance(mark.mark, Execution)}
    assert {"engine", "gpu_memory_utilization"} <= how
