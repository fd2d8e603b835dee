"""Tokens of a part: counted by workers, kept shard by shard, taken over, or refused with why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from model_bench import ModelBench
from workbench import aside, problem

from potstill.models.token_counts import TokenCounter
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError
from potstill.pipeline.outcome import Done, Outcome, Raised
from potstill.pipeline.sample import SAMPLE_SCHEMA, Generation, with_ids
from potstill.pipeline.shards import read_table, shard_files, write_rows
from potstill.stages.mix import Mix
from potstill.stages.mixing import counting

pytestmark = pytest.mark.skipif(find_spec("transformers") is None, reason="needs transformers")

STUDENT = str(Path(__file__).parents[3] / "recipes" / "quickstart" / "student-qwen")
CUT = Generation("t", "", "k", 0, 1, "length", 5, 9)


class Here:
    """Stands for the pool of workers, each of which takes seconds to load a tokenizer."""

    def __init__(self, function: Callable[[Any], Any], *, count: int) -> None:
        self._function = function

    def __enter__(self) -> Here:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def map(self, jobs: Iterable[Any]) -> Iterator[Outcome[Any]]:
        for job in jobs:
            try:
                yield Done(self._function(job))
            except Exception as error:
                yield Raised(type(error).__name__, str(error))


@pytest.fixture(autouse=True)
def here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "workers" not in request.node.name:
        monkeypatch.setattr(counting, "WorkerPool", Here)


@pytest.fixture
def bench(tmp_path: Path) -> ModelBench:
    return ModelBench(tmp_path)


def part(bench: ModelBench, name: str, rows: int = 12) -> Artifact:
    """Rows of growing length in shards of five, two of them nothing to train on."""
    made = [problem(f"{name} {n}", f"<think>\n{'1 ' * n}\n</think>\n{n}") for n in range(rows)]
    made += [problem(f"{name} open"), problem(f"{name} cut", "<think>\n1", generation=CUT)]
    context = bench.context(name)
    rows_of = (sample.to_row() for sample in with_ids(made))
    write_rows(context.out, rows_of, SAMPLE_SCHEMA, rows_per_shard=5)
    return bench._finish(context, "made_by_hand", {})


def mix(bench: ModelBench, name: str = "mixture", **fields: Any) -> Artifact:
    inputs = {each: part(bench, each) for each in fields["parts"]}
    return run(bench, name, inputs, **fields)


def run(bench: ModelBench, name: str, inputs: dict[str, Artifact], **fields: Any) -> Artifact:
    siblings = fields.pop("siblings", ())
    stage = Mix(**{"student": STUDENT, **fields})
    given = {"inputs": inputs, "paths": {STUDENT: Path(STUDENT)}}
    return bench.run(name, stage, **given, siblings=siblings)


def counted(artifact: Artifact) -> dict[str, tuple[int, int]]:
    """Tokens and loss tokens of each sample that has a completion."""
    counter = TokenCounter(Path(STUDENT))
    made = {sample.id: counter.count(sample) for sample in artifact.samples()}
    return {
        name: (each.tokens or 0, each.loss_tokens or 0)
        for name, each in made.items()
        if each.reason is None
    }


@pytest.mark.parametrize("unit", ["tokens", "loss_tokens"])
def test_parts_are_filled_to_the_nearest_sample(bench: ModelBench, unit: str) -> None:
    parts = {"a": {"count": 150}, "b": {"epochs": 1.5}}
    mixture = mix(bench, parts=parts, unit=unit)
    place = ["tokens", "loss_tokens"].index(unit)
    sizes = {name: each[place] for name, each in counted(mixture).items()}
    told = mixture.metrics
    a, b = told["parts"]["a"], told["parts"]["b"]
    assert (a["asked"], a["reached"], b["asked"] > 0) == (150, a[unit], True)
    assert abs(a["reached"] - a["asked"]) <= max(sizes.values()) / 2
    assert abs(b["reached"] - b["asked"]) <= max(sizes.values()) / 2
    assert told["total"][unit] == a["reached"] + b["reached"]
    assert told["total"]["samples"] == mixture.rows
    assert told["left_out"]["cut_off"] == told["left_out"]["no_completion"] == 2
    assert told["not_trainable"] == {name: {"cut_off": 1, "no_completion": 1} for name in "ab"}
    assert told["in"] + told["copies"] == mixture.rows + len(aside(mixture, "left_out"))
    tokens = read_table(shard_files(mixture.path / "tokens")).to_pylist()
    keys = mixture.table().select(["id", "copy"]).to_pylist()
    assert [{name: row[name] for name in ("id", "copy")} for row in tokens] == keys
    assert {row["id"]: (row["tokens"], row["loss_tokens"]) for row in tokens} == counted(mixture)


def test_with_samples_as_unit_a_student_only_reports(bench: ModelBench) -> None:
    one = mix(bench, "one", parts={"a": 1})
    two = bench.run("two", Mix(parts={"a": 1}), inputs={"a": part(bench, "a")})
    assert one.table().equals(two.table())
    told = one.metrics
    assert told["not_trainable"] == {"a": {"cut_off": 1, "no_completion": 1}}
    assert told["report"]["length"]["unknown"] == {"samples": 2, "tokens": 0, "loss_tokens": 0}
    assert told["total"]["tokens"] == sum(tokens for tokens, _ in counted(one).values())
    assert told["left_out"] == {}


def test_rows_that_are_too_long_are_named(bench: ModelBench) -> None:
    mixture = mix(bench, parts={"a": 1}, unit="tokens", max_length=40)
    too_long = [row["id"] for row in aside(mixture, "left_out") if row["reason"] == "too_long"]
    counts = counted(part(bench, "a"))
    assert set(too_long) == {name for name, (tokens, _) in counts.items() if tokens > 40}
    assert 0 < len(too_long) < len(counts)


def test_counts_are_taken_over_and_what_a_kill_left_is_used(
    bench: ModelBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = {"a": part(bench, "a")}
    first = run(bench, "first", inputs, parts={"a": 1}, unit="tokens", max_length=60)
    state = bench.root / "state" / "first-00000000" / "counts"
    monkeypatch.setattr(counting, "WorkerPool", None)  # nobody may count again
    fields = {"parts": {"a": 1}, "unit": "tokens", "max_length": 60}
    second = run(bench, "second", inputs, **fields, siblings=(first.path,))
    state.rename(bench.context("third").state.parent / "counts")  # where a killed step kept them
    bench.context("third").state.mkdir()
    (bench.root / "state" / "counts").rename(bench.context("third").state / "counts")
    third = run(bench, "third", inputs, **fields)
    assert first.digest == second.digest == third.digest
    with pytest.raises(TypeError):  # another loss is another count
        run(bench, "fourth", inputs, **fields, loss="assistant", siblings=(first.path,))


def test_workers_change_nothing(bench: ModelBench, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = {"a": part(bench, "a")}
    given = {"inputs": inputs, "paths": {STUDENT: Path(STUDENT)}}
    stage = Mix(parts={"a": 1}, unit="tokens", student=STUDENT)
    two = bench.run("two", stage, **given, workers=2)
    monkeypatch.setattr(counting, "WorkerPool", Here)
    assert bench.run("one", stage, **given).digest == two.digest
    done = [event["done"] for event in bench.events if event["event"] == "progress"]
    assert max(done) == 14


def test_a_student_without_a_tokenizer_is_the_users_to_mend(bench: ModelBench) -> None:
    folder = bench.root / "empty"
    folder.mkdir()
    stage = Mix(parts={"a": 1}, student=str(folder))
    given = {"inputs": {"a": part(bench, "a")}, "paths": {str(folder): folder}}
    with pytest.raises(RequestError, match="no tokenizer that can be loaded"):
        bench.run("mixture", stage, **given)


def test_a_damaged_part_fails_the_step(bench: ModelBench) -> None:
    made = part(bench, "a")
    with shard_files(made.path)[1].open("r+b") as file:
        file.seek(30)
        file.write(b"\xff" * 20)
    with pytest.raises(RequestError, match=r"part-00001.parquet cannot be read as parquet"):
        run(bench, "mixture", {"a": made}, parts={"a": 1})


def test_nothing_to_train_on_is_told(bench: ModelBench) -> None:
    nothing = bench.samples("a", [problem("q")])
    with pytest.raises(RequestError, match="nothing to mix: a holds no samples to use"):
        run(bench, "mixture", {"a": nothing}, parts={"a": 1}, unit="tokens")


def test_less_than_half_a_sample_is_no_mixture(bench: ModelBench) -> None:
    with pytest.raises(RequestError, match="would hold no row: less than half of one sample"):
        mix(bench, parts={"a": {"count": 2}}, unit="tokens")
