"""`why` over the whole graph: attempts, mixtures, trainings, evaluations, several recipes."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from lives import Lives, answered, asked, drawn, event, id_of, select, two_problems

from potstill.catalog import CATALOG
from potstill.models.journal import open_journal
from potstill.models.journal_file import connect
from potstill.pipeline.shards import shard_files, write_table
from potstill.stages.judge import JudgeSamples
from potstill.stages.label import LabelByMajority
from potstill.stages.mix import Mix
from potstill.stages.select import Select
from potstill.views.why import why


@pytest.fixture
def tale(tmp_path: Path) -> Lives:
    return two_problems(tmp_path)


def test_attempts_of_a_problem(tale: Lives) -> None:
    select(tale, keep={"math": 1})
    index = pl.col("generation").struct.field("index")
    with open_journal(tale.work / "journal.sqlite") as journal:
        two = tale.made["traces"].frame().filter(index == 1).row(-1, named=True)
        row = ("beyond", "tale/traces", two["prompt_id"], 0, 3, "text", "stop", "m", "{}", "")
        with connect(journal.path) as writing:
            names = "key, step, subject, tier, sample_index, text, finish_reason, model, numerics"
            marks = ", ".join("?" * len(row))
            writing.execute(f"INSERT INTO completions ({names}, prefill) VALUES ({marks})", row)
    life = why(tale.artifacts, two["prompt_id"])
    asking = life.asked[0]
    assert life.conclusion == (
        "yielded nothing: 3 attempts, 1 wrong (math), 1 unknown (math), 1 failed (http_500)"
    )
    assert (life.outcome, asking["most"], asking["until"]) == ("left_out", 8, 3)
    assert [each["accepted"] for each in asking["attempts"] if each["id"]] == [False, False]
    assert (asking["failed"], asking["in_journal_only"]) == ({"http_500": 1}, 1)
    text = drawn(life)
    assert "3 attempts of at most 8, until 3 accepted · 0 accepted" in text
    assert "1 failed (http_500) · 1 more in the journal only" in text
    one = why(tale.artifacts, next(tale.made["traces"].samples()).prompt_id)
    assert [each["tier"] for each in one.asked[0]["attempts"]] == [0, 0, 0, 0, 0, 1]
    assert one.conclusion == "yielded 4 of 6 samples in reasoning"
    assert "7 (tier 2)" in drawn(one)


def test_cut_by_the_token_limit_is_told_as_such(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    cut = [answered("q", "math=0:wrong", n, finish_reason="length") for n in range(2)]
    lives.hold("traces", "generate", [*cut, answered("other", "fine")])
    lives.step("verdicts", JudgeSamples(samples="traces", filters=("math",)), "traces")
    select(lives, keep={"math": 1})
    life = why(lives.artifacts, lives.made["traces"].frame()["prompt_id"][0])
    assert life.conclusion == "yielded nothing: 2 attempts, 2 cut by the token limit"


def test_a_problem_that_was_never_asked(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.hold("problems", "load", [asked("lonely"), asked("a" * 50)])
    ids = [sample.prompt_id for sample in lives.made["problems"].samples()]
    life = why(lives.artifacts, ids[0])
    assert (life.outcome, life.conclusion) == (
        "waiting",
        "never asked: it is in problems, which no finished step has read",
    )
    stage = Select(samples="problems", length={"prompt": {"most": 20}})
    lives.step("short", stage, "problems")
    assert why(lives.artifacts, ids[1]).conclusion == (
        "never asked: not kept by short: its prompt has 50 characters, at most 20 are asked"
    )


def test_a_mixture_tells_part_weight_copies_and_tokens(tale: Lives) -> None:
    select(tale, keep={"math": 1})
    tale.hold("general", "load", [asked("hello", completion=f"hi {n}") for n in range(9)])
    parts = {"reasoning": {"epochs": 2}, "general": {"count": 4}}
    tale.step("mixture", Mix(parts=parts), "reasoning", "general")
    mixed = tale.made["mixture"]
    add_tokens(mixed.path)
    life = why(tale.artifacts, id_of(tale, "ccc"))
    held = event(life, "holds", kind="mix")
    assert (held["copies"], held["tokens"], held["loss_tokens"]) == (2, 70, 7)
    assert (held["parts"][0]["part"], held["parts"][0]["epochs"]) == ("reasoning", 2.0)
    assert life.conclusion == "in mixture twice, 7 loss tokens each"
    assert "part reasoning, 2 epochs" in drawn(life)
    kept = set(mixed.frame()["id"])
    left = next(s for s in tale.made["general"].samples() if s.id not in kept)
    assert why(tale.artifacts, left.id).conclusion == (
        "not drawn by mixture: the mixture took 4 of 9 samples of part general"
    )


def add_tokens(path: Path) -> None:
    """As a mix step with a student leaves them beside its shards."""
    for file in shard_files(path):
        rows = pl.read_parquet(file, columns=["id", "copy"])
        counted = rows.with_columns(tokens=pl.lit(70), loss_tokens=pl.lit(7))
        write_table(path / "tokens" / file.name, counted.to_arrow())


def test_training_evaluation_and_a_leak(tale: Lives) -> None:
    select(tale, keep={"math": 1})
    long = id_of(tale, "a" * 30)
    config = {"data": "reasoning", "epochs": 3.0, "max_steps": None, "max_length": 20, "model": "x"}
    left = [{"id": long, "copy": None, "reason": "too_long"}]
    tale.hold("student", "sft", [], ["reasoning"], config, {"steps": 9}, left_out=left)
    config = {"model": "student", "problems": "problems", "correct": "math", "samples": 1}
    answers = [answered("one", "math=0:wrong no", tokens=None), answered("two", "yes")]
    tale.hold("after", "evaluate", answers, ["student", "problems"], config, judged=["math"])
    one = why(tale.artifacts, tale.made["traces"].frame()["prompt_id"][0])
    assert one.leaks == [{"evaluation": "tale/after", "training": "tale/student"}]
    assert "leak: tale/after asks about it, tale/student was trained on it" in drawn(one)
    assert "1 attempt of at most 1 · 0 right" in drawn(one)
    two = why(tale.artifacts, tale.made["traces"].frame()["prompt_id"][6])
    assert two.leaks == []
    assert why(tale.artifacts, id_of(tale, "ccc")).conclusion == "trained by student"
    out = why(tale.artifacts, long)
    assert out.conclusion == "left out of student: it has more than max_length 20"
    answer = why(tale.artifacts, id_of(tale, "yes", "after"))
    assert answer.conclusion == "an answer in the evaluation after: right"
    assert tale.made["after"].metrics == {}


def test_a_label_is_followed_to_the_sample_that_it_makes(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    lives.filters = {"exact": CATALOG.filters["exact"]()}
    traces = lives.hold("traces", "generate", [answered("q", f"5{' ' * n}", n) for n in range(2)])
    lives.step("labelled", LabelByMajority(samples="traces", by="exact", min_votes=2), "traces")
    new = [sample.id for sample in lives.made["labelled"].samples()]
    before, after = why(lives.artifacts, traces[1].id), why(lives.artifacts, new[1])
    assert before.conclusion == f"labelled by labelled, from there on {new[1]}"
    assert (event(after, "holds")["from"], after.row["answer"]) == (traces[1].id, "5")
    assert "goes on as" in drawn(before)


def test_several_recipes_are_named(tmp_path: Path) -> None:
    rows = [asked("q", completion="text")]
    first, second = Lives(tmp_path, "first"), Lives(tmp_path, "second")
    for lives in (first, second):
        lives.hold("data", "load", rows)
        lives.step("mixture", Mix(parts={"data": 1}), "data")
    life = why([*first.artifacts, *second.artifacts], next(first.made["data"].samples()).id)
    assert life.conclusion == "in first/mixture; in second/mixture"
    assert [each["step"] for each in life.origins] == ["first/data", "second/data"]


def test_a_long_completion_is_shown_by_its_ends(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    [sample] = lives.hold("data", "load", [asked("q", completion="A" * 5000 + "END")])
    life = why(lives.artifacts, sample.id)
    assert len(life.row["completion"]) == 5003
    text = drawn(life)
    assert "… 4,103 characters more: potstill inspect STEP --id ID …" in text
    assert "AEND" in text


def test_no_more_than_a_thousand_samples_are_told(tmp_path: Path) -> None:
    lives = Lives(tmp_path)
    rows = lives.hold("data", "load", [asked("q", completion=str(n)) for n in range(1100)])
    life = why(lives.artifacts, rows[0].prompt_id)
    assert (len(life.samples), life.not_told) == (1000, 100)
    assert life.conclusion.endswith("; 100 samples more are not told")
    assert why(lives.artifacts, rows[-1].id).row["completion"] == "1099"
