"""Length limits and their units; the labelled cases are in cases/."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import ValidationError

from potstill.filters.length import Length
from potstill.pipeline.errors import RequestError
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import new_sample

STUDENT = Path(__file__).resolve().parents[2] / "recipes/quickstart/student-qwen"
TEXT = "<think> two words\n</think> one "


@dataclass(frozen=True)
class InFolder(JudgeContext):
    """A context in which every reference names one folder."""

    folder: Path = STUDENT

    def path(self, reference: str) -> Path:
        return self.folder


def test_the_lengths_are_evidence() -> None:
    evidence = Length().judge_one(new_sample((), completion=TEXT)).evidence
    assert evidence == {"unit": "characters", "thought": 9, "answer": 3, "total": len(TEXT)}


def test_limits_without_room_are_refused() -> None:
    with pytest.raises(ValidationError, match="min_answer is 5 and max_answer 4"):
        Length(min_answer=5, max_answer=4)
    with pytest.raises(ValidationError, match="min_total"):
        Length(min_total=5, max_total=4)
    with pytest.raises(ValidationError):
        Length(min_thought=-1)


def test_tokens_need_a_tokenizer_and_nothing_else_does() -> None:
    with pytest.raises(ValidationError, match=r"tokenizer: ./student"):
        Length(unit="tokens")
    with pytest.raises(ValidationError, match="no effect"):
        Length(unit="words", tokenizer="./student")


def test_tokens_are_counted_in_worker_processes_as_transformers_does() -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(STUDENT)
    made = Length(unit="tokens", tokenizer="./student", max_total=len(tokenizer(TEXT)["input_ids"]))
    other = "<think>一二三 3.14</think>\\boxed{5}<|im_end|>"
    samples = [new_sample((), completion=text) for text in (TEXT, other, None)]
    with made.open(InFolder(workers=2)) as judge:
        first, second, third = judge.judge(samples)
    assert first.evidence == {
        "unit": "tokens",
        "thought": len(tokenizer("two words")["input_ids"]),
        "answer": len(tokenizer("one")["input_ids"]),
        "total": len(tokenizer(TEXT)["input_ids"]),
    }
    assert first.score == 1.0
    assert second.evidence["total"] == len(tokenizer(other)["input_ids"])
    assert second.reason == "total_too_long"
    assert third.reason == "no_completion"


def test_cutting_and_padding_of_the_file_are_turned_off(tmp_path: Path) -> None:
    made = json.loads((STUDENT / "tokenizer.json").read_text("utf-8"))
    made["truncation"] = {
        "direction": "Right",
        "max_length": 2,
        "strategy": "LongestFirst",
        "stride": 0,
    }
    made["padding"]["strategy"] = {"Fixed": 64}
    (tmp_path / "tokenizer.json").write_text(json.dumps(made), "utf-8")
    counts = []
    for folder in (STUDENT, tmp_path):
        ready = Length(unit="tokens", tokenizer="./x").prepared(InFolder(folder=folder))
        counts.append(ready.judge_one(new_sample((), completion=TEXT)).evidence)
    assert counts[0] == counts[1]


def test_half_a_surrogate_pair_is_counted_not_fatal() -> None:
    ready = Length(unit="tokens", tokenizer="./x").prepared(InFolder())
    assert ready.judge_one(new_sample((), completion="<think>a\ud800</think>b")).score == 1.0


def test_what_is_prepared_is_no_identity_and_survives_the_way_to_the_workers() -> None:
    made = Length(unit="tokens", tokenizer="./x", max_answer=3)
    ready = made.prepared(InFolder())
    sent = pickle.loads(pickle.dumps(ready))
    sample = new_sample((), completion=TEXT)
    assert sent.judge_one(sample) == ready.judge_one(sample)
    assert ready.identity(str.upper) == made.identity(str.upper)
    assert made.identity(str.upper)["config"]["tokenizer"] == "./X"
    assert "tokenizers" in made.identity(str.upper)["depends"]
    assert Length().identity()["depends"] == {}


@pytest.mark.parametrize("content", [None, "{", '{"version": "1.0"}'])
def test_a_tokenizer_that_cannot_be_read_is_told_before_any_worker_starts(
    content: str | None, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content, "utf-8")
    made = Length(unit="tokens", tokenizer="./x")
    with (
        pytest.raises(RequestError, match=r"tokenizer\.json"),
        made.open(InFolder(folder=tmp_path)),
    ):
        pass
