"""Tiny real students (random weights, real tokenizers and templates) and small mixtures."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from potstill.pipeline.artifact import Artifact, open_artifact, write_manifest
from potstill.pipeline.progress import Event, Progress
from potstill.pipeline.sample import SAMPLE_SCHEMA, Message, Sample, new_sample, with_ids
from potstill.pipeline.shards import write_rows
from potstill.pipeline.stage import Context
from potstill.recipes.quickstart.vocabulary import LLAMA, QWEN, make_tokenizer, train_bpe
from potstill.train.sft import Sft

ROWS = 32
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: see train/loop.py


@pytest.fixture(scope="session")
def toy() -> list[Sample]:
    """Sums with a thought and an answer, half of them asked in Chinese."""
    asked = [
        (f"{a} + {a + 2} = ?" if a % 2 else f"{a} 加 {a + 2} 等于多少？", 2 * a + 2)
        for a in range(ROWS)
    ]
    return [
        new_sample(
            (Message("user", question),),
            completion=f"<think>\n{answer}\n</think>\nThe answer is \\boxed{{{answer}}}.",
            answer=str(answer),
        )
        for question, answer in asked
    ]


@pytest.fixture(scope="session")
def students(tmp_path_factory: pytest.TempPathFactory, toy: list[Sample]) -> dict[str, Path]:
    """Folders of an untrained Qwen2 and an untrained Llama of about 100,000 parameters."""
    pytest.importorskip("trl", reason="the train extra is not installed")
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

    texts = [message.content for sample in toy for message in sample.prompt]
    bpe = train_bpe(texts + [str(sample.completion) for sample in toy], 320)
    folders = {}
    for name, family, config_class, model_class in (
        ("qwen", QWEN, Qwen2Config, Qwen2ForCausalLM),
        ("llama", LLAMA, LlamaConfig, LlamaForCausalLM),
    ):
        tokenizer = make_tokenizer(bpe, family)
        config = config_class(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=32,
            max_position_embeddings=256,
            tie_word_embeddings=True,
            initializer_range=0.1,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.pad_token_id,  # wrong on purpose, as in many base models
            pad_token_id=tokenizer.pad_token_id,
        )
        torch.manual_seed(0)
        folder = tmp_path_factory.mktemp(name)
        model_class(config).save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        folders[name] = folder
    return folders


@pytest.fixture
def sft() -> Callable[..., Sft]:
    """A quick training of `./student` on `mixture`."""

    def build(**fields: Any) -> Sft:
        quick = {"epochs": 1, "batch_size": 8, "learning_rate": 3e-3, "max_length": 128}
        return Sft(**{"data": "mixture", "model": "./student", **quick, **fields})

    return build


@pytest.fixture
def mixture(tmp_path: Path) -> Callable[..., Artifact]:
    """Write samples, with their `copy` numbers where given, as a finished artifact."""

    def make(samples: Sequence[Sample], copies: Sequence[int] | None = None) -> Artifact:
        folder = tmp_path / "mixture"
        rows = [sample.to_row() for sample in with_ids(samples)]
        schema = SAMPLE_SCHEMA
        if copies is not None:
            schema = schema.append(pa.field("copy", pa.int64()))
            for row, copy in zip(rows, copies, strict=True):
                row["copy"] = copy
        count = write_rows(folder, rows, schema)
        identity = {"kind": "mix"}
        body = {"step": "r/mixture", "identity": identity, "address": "0", "inputs": {}}
        write_manifest(folder, {**body, "rows": count, "metrics": {}}, {})
        artifact = open_artifact(folder)
        assert artifact is not None
        return artifact

    return make


@pytest.fixture
def context(tmp_path: Path) -> Callable[..., Context]:
    """A step's context with `out` made anew for each name."""

    def make(
        data: Artifact, student: Path, name: str = "out", events: list[Event] | None = None
    ) -> Context:
        out = tmp_path / name
        out.mkdir()
        return Context(
            step="r/student",
            out=out,
            inputs={"mixture": data},
            filters={},
            paths={"./student": student},
            digests={},
            journal=tmp_path / "journal.sqlite",
            workers=1,
            progress=Progress(None if events is None else events.append),
        )

    return make


@pytest.fixture
def answers() -> Callable[[Path, Sequence[Sample]], list[str]]:
    """What a model folder answers, greedily, special tokens included."""

    def ask(folder: Path, samples: Sequence[Sample]) -> list[str]:
        import torch
        from transformers import AutoModelForCausalLM

        from potstill.models.chat import load_tokenizer, render_prompt

        tokenizer = load_tokenizer(folder)
        model: Any = AutoModelForCausalLM.from_pretrained(folder)
        texts = []
        for sample in samples:
            prompt = torch.tensor([render_prompt(tokenizer, sample.prompt).token_ids])
            made = model.generate(prompt, do_sample=False, max_new_tokens=80)
            texts.append(tokenizer.decode(made[0, prompt.shape[1] :]))
        return texts

    return ask
