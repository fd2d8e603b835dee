"""`generate` as a step: what it writes, what it counts, what it never pays for twice."""

import json
import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from faulty_server import RETRYABLE, FaultyServer, serving
from model_bench import ModelBench, make_tiny_model
from toys import InProcess
from workbench import Workbench, aside, problem

from potstill.models import endpoint_teacher
from potstill.models.journal import open_journal
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.filter import CorpusFilter, JudgeContext
from potstill.pipeline.sample import Sample
from potstill.pipeline.verdict import Verdict
from potstill.pipeline.verdicts import find_verdicts, samples_digest
from potstill.stages.generate import Generate


class FirstIsGood(InProcess):
    """Likes the first sample of a problem, cannot judge a problem about 3."""

    kind: ClassVar[str] = "first_is_good"
    reasons: ClassVar[frozenset[str]] = frozenset({"first", "later", "three"})

    def judge_one(self, sample: Sample) -> Verdict:
        assert sample.generation is not None
        if sample.question.startswith("3"):
            return Verdict(None, "three")
        first = sample.generation.index == 0
        return Verdict(float(first), "first" if first else "later")


class WholeCorpus(CorpusFilter):
    kind: ClassVar[str] = "whole"
    reasons: ClassVar[frozenset[str]] = frozenset()

    def judge_all(self, samples: pl.LazyFrame, context: JudgeContext) -> pl.LazyFrame:
        raise NotImplementedError


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint_teacher, "BACKOFF_START_S", 0.001)


def problems(bench: Workbench, number: int = 5) -> Artifact:
    made = (problem(f"{n} + 1?", answer=str(n + 1), language="en") for n in range(number))
    return bench.samples("problems", made)


def stage(server: FaultyServer, **more: Any) -> Generate:
    teacher = {"base_url": server.url, "model": "r1", "timeout_s": 2.0, **more.pop("teacher", {})}
    given = {"prompts": "problems", "samples": 2, "sampling": {"max_tokens": 50}, **more}
    return Generate.model_validate({**given, "teacher": teacher})


def rows(artifact: Artifact) -> list[tuple[str, int]]:
    return [(s.question, s.generation.index) for s in artifact.samples() if s.generation]


def test_a_row_for_each_problem_and_index(bench: Workbench, server: FaultyServer) -> None:
    inputs = {"problems": problems(bench)}
    made = bench.run("traces", stage(server, prompt="solve"), inputs=inputs)
    assert rows(made) == [(f"{n} + 1?", index) for n in range(5) for index in (0, 1)]
    (first, *_) = made.samples()
    assert first.prompt == next(inputs["problems"].samples()).prompt  # as it was, not as asked
    assert (first.answer, first.language) == ("1", "en")
    assert first.completion is not None
    assert first.completion.startswith("<think>\n")
    assert first.generation is not None
    assert (first.generation.teacher, first.generation.finish_reason) == ("r1", "stop")
    assert len({sample.id for sample in made.samples()}) == 10
    assert "put your final answer within" in server.bodies[0]["messages"][0]["content"]
    assert aside(made, "failed") == []


def test_what_is_counted(bench: Workbench, server: FaultyServer) -> None:
    made = bench.run("traces", stage(server), inputs={"problems": problems(bench)})
    assert made.metrics == {
        "attempts": 10,
        "rows": 10,
        "failed": {},
        "prompt_tokens": 110,
        "completion_tokens": 70,
        "mean_completion_tokens": 7.0,
        "finish_reasons": {"stop": 10},
        "models": {"r1": 10},
        "numerics": [{"engine": "endpoint", "completions": 10}],
    }


def test_faults_change_no_byte_and_no_metric(tmp_path: Path, server: FaultyServer) -> None:
    plain_bench, faulty_bench = Workbench(tmp_path / "plain"), Workbench(tmp_path / "faulty")
    inputs = {"problems": problems(plain_bench, 2 * len(RETRYABLE))}
    plain = plain_bench.run("traces", stage(server), inputs=inputs)
    with serving(FaultyServer(plan=lambda n: [RETRYABLE[n % len(RETRYABLE)]])) as faulty:
        made = faulty_bench.run("traces", stage(faulty), inputs=inputs)
    assert {what for _, what in faulty.attempts} == {*RETRYABLE, "answered"}
    assert set(faulty.paid.values()) == {1}
    assert made.digest == plain.digest
    assert made.metrics == plain.metrics


def test_the_same_step_again_asks_nothing_and_writes_the_same_bytes(
    bench: Workbench, server: FaultyServer
) -> None:
    inputs = {"problems": problems(bench)}
    first = bench.run("traces", stage(server), inputs=inputs)
    again = bench.run("traces_again", stage(server), inputs=inputs)
    assert len(server.attempts) == 10
    assert (again.digest, again.metrics) == (first.digest, first.metrics)


def test_counts_close_and_failures_are_named(bench: Workbench) -> None:
    plan = {0: ["400_context"], 3: ["content_filter"], 5: ["422"] * 9}
    with serving(FaultyServer(plan=lambda n: plan.get(n, []))) as server:
        given = stage(server, max_failed=0.5, concurrency=1)
        made = bench.run("traces", given, inputs={"problems": problems(bench)})
    assert made.metrics["failed"] == {"content_filter": 1, "prompt_too_long": 1, "unprocessable": 1}
    assert made.metrics["attempts"] == made.metrics["rows"] + 3 == 10
    failed = aside(made, "failed")
    assert [(row["index"], row["reason"]) for row in failed] == [
        (0, "prompt_too_long"),
        (1, "content_filter"),
        (1, "unprocessable"),
    ]
    by_prompt = {sample.prompt_id for sample in made.samples()}
    assert {row["prompt_id"] for row in failed} <= by_prompt
    assert "context length" in failed[0]["detail"]


def test_too_many_failures_keep_what_was_bought(bench: Workbench) -> None:
    inputs = {"problems": problems(bench)}
    with serving(FaultyServer(plan=lambda n: ["404"] if n == 6 else [])) as server:
        with pytest.raises(StepFailed, match=r"not_found: 1.*the same command goes on"):
            bench.run("traces", stage(server, concurrency=1), inputs=inputs)
        made = bench.run("traces", stage(server), inputs=inputs)
    assert made.rows == 10
    assert sum(server.paid.values()) <= 11  # one may have been in flight when the step stopped


def test_verdicts_of_accept_are_published(bench: Workbench, server: FaultyServer) -> None:
    judging = FirstIsGood()
    made = bench.run(
        "traces",
        stage(server, accept={"first": 1}),
        inputs={"problems": problems(bench, 20)},
        filters={"first": judging},
    )
    table = made.verdict_table("first").to_pylist()
    assert [row["id"] for row in table] == [sample.id for sample in made.samples()]
    expected = [
        None if sample.question.startswith("3") else float(sample.generation.index == 0)
        for sample in made.samples()
        if sample.generation
    ]
    assert [row["score"] for row in table] == expected
    assert find_verdicts([made.path], judging.identity(), samples_digest(made.path)) is not None
    assert (made.metrics["accepted"], made.metrics["accepted_share"]) == (19, 19 / 40)
    assert made.metrics["rate/first"] == 0.5


def test_rows_from_the_journal_are_judged_too(bench: Workbench, server: FaultyServer) -> None:
    given = {"inputs": {"problems": problems(bench)}, "filters": {"first": FirstIsGood()}}
    small = bench.run("small", stage(server, samples=1, accept={"first": 1}), **given)
    assert small.metrics["accepted"] == 4
    made = bench.run("traces", stage(server, accept={"first": 1}), **given)
    assert len(server.attempts) == 10
    assert made.verdict_table("first").num_rows == 10
    assert made.metrics["accepted"] == 4
    event = [event for event in bench.events if event["event"] == "progress"][-1]
    assert event["facts"]["accepted"] == 0.0  # of what this run bought: the second samples
    with open_journal(bench.root / "journal.sqlite") as journal:
        query = "SELECT count(*) FROM verdicts"
        assert journal._connection.execute(query).fetchone() == (10,)


def test_a_filter_over_whole_datasets_is_refused_before_anything_is_paid(
    bench: Workbench, server: FaultyServer
) -> None:
    with pytest.raises(RequestError, match="judges whole datasets"):
        bench.run(
            "traces",
            stage(server, accept={"whole": 1}),
            inputs={"problems": problems(bench)},
            filters={"whole": WholeCorpus()},
        )
    assert server.attempts == []


def test_a_missing_key_is_found_before_anything_is_paid(
    bench: Workbench, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("POTSTILL_TEST_KEY", raising=False)
    inputs = {"problems": problems(bench)}
    given = stage(server, teacher={"api_key_env": "POTSTILL_TEST_KEY"})
    with pytest.raises(RequestError, match="POTSTILL_TEST_KEY"):
        bench.run("traces", given, inputs=inputs)
    assert server.attempts == []


def test_a_key_is_in_no_file(
    bench: Workbench, server: FaultyServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary = "sk-canary0123456789abcdef"
    monkeypatch.setenv("POTSTILL_TEST_KEY", canary)
    given = stage(server, teacher={"api_key_env": "POTSTILL_TEST_KEY"})
    bench.run("traces", given, inputs={"problems": problems(bench)})
    assert server.keys == {f"Bearer {canary}"}
    files = [file for file in bench.root.rglob("*") if file.is_file()]
    assert any(file.name.startswith("journal") for file in files)
    assert not [file for file in files if canary.encode() in file.read_bytes()]


def test_no_problems_make_an_empty_dataset(bench: Workbench, server: FaultyServer) -> None:
    made = bench.run("traces", stage(server), inputs={"problems": problems(bench, 0)})
    assert (made.rows, made.metrics["mean_completion_tokens"]) == (0, None)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"samples": 4}, None),
        ({"accept": {"first": 1}}, None),
        ({"teacher": {"api_key_env": "KEY"}, "concurrency": 3}, None),
        ({"teacher": {"prefills_think": True}}, None),
        ({"prompt": "solve"}, "10 of the 10 completions bought for it (70 tokens)"),
        ({"teacher": {"revision": "v2"}}, "10 of the 10"),
        ({"sampling": {"max_tokens": 51}}, "10 of the 10"),
        ({"chat_template_kwargs": {"thinking": True}}, "10 of the 10"),
    ],
)
def test_the_bill_of_a_changed_step(
    bench: Workbench, server: FaultyServer, change: dict[str, Any], told: str | None
) -> None:
    inputs = {"problems": problems(bench)}
    context = bench.context("traces", inputs=inputs)
    assert stage(server, **change).rebuild_bill(context) is None  # nothing was bought yet
    bench.run("traces", stage(server), inputs=inputs)
    bill = stage(server, **change).rebuild_bill(context)
    assert bill is None if told is None else told in str(bill)


def test_the_bill_is_light() -> None:
    code = "import sys, potstill.stages.generate, potstill.stages.evaluate; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert not {"torch", "vllm", "transformers", "aiohttp"} & set(loaded.stdout.split())


STEP = """
import json, os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from model_bench import ModelBench
from potstill.pipeline.artifact import open_artifact
from potstill.stages.generate import Generate

class Telling(list):
    def append(self, event):
        os.write(int(sys.argv[5]), (json.dumps(event) + "\\n").encode())

signal.signal(signal.SIGTERM, signal.default_int_handler)  # as a step's process does
root, model = Path(sys.argv[2]), sys.argv[3]
bench = ModelBench(root)
bench.events = Telling()
stage = Generate.model_validate(json.loads(sys.argv[4]))
inputs = {"problems": open_artifact(root / "problems-00000000")}
bench.run("traces", stage, inputs=inputs, paths={model: Path(model)})
"""


def run_step_until(root: Path, model: Path, config: dict[str, Any], done: int, how: int) -> int:
    """Run a step in a process, send it a signal once `done` are durable; returns how many were."""
    reader, writer = os.pipe()
    arguments = [str(Path(__file__).parents[1]), str(root), str(model), json.dumps(config)]
    process = subprocess.Popen(
        [sys.executable, "-c", STEP, *arguments, str(writer)],
        pass_fds=[writer],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    acknowledged = 0
    with os.fdopen(reader) as events:
        for line in events:
            acknowledged = json.loads(line).get("done", acknowledged)
            if acknowledged >= done:
                process.send_signal(how)
                break
        acknowledged = max([acknowledged, *(json.loads(late).get("done", 0) for late in events)])
    process.wait(timeout=60)
    return acknowledged


@pytest.mark.slow
@pytest.mark.parametrize(
    ("engine", "how"), [("vllm", signal.SIGKILL), ("transformers", signal.SIGTERM)]
)
def test_a_stopped_step_goes_on_and_buys_only_what_was_in_flight(
    tmp_path: Path, engine: str, how: int
) -> None:
    """A real engine, stopped in the middle; then the same step again, and once more from there."""
    if find_spec(engine) is None:
        pytest.skip(f"needs {engine}")
    bench = ModelBench(tmp_path / "run")
    model = make_tiny_model(tmp_path / "tiny")
    inputs = {"problems": problems(bench, 100)}
    config: dict[str, Any] = {
        "prompts": "problems",
        "teacher": {"model": str(model), "engine": engine},
        "sampling": {"temperature": 1.0, "max_tokens": 64},
        "samples": 3,
    }
    acknowledged = run_step_until(bench.root, model, config, done=30, how=how)
    assert 30 <= acknowledged < 300
    with open_journal(bench.root / "journal.sqlite") as journal:
        had = journal.sums_of("bench/traces").completions
    assert had >= acknowledged
    stage = Generate.model_validate(config)
    made = bench.run("traces", stage, inputs=inputs, paths={str(model): model})
    spent = [event["requests"] for event in bench.events if event["event"] == "spent"]
    assert spent[-1] == 300 - had  # what the killed run had is not asked again
    assert made.rows == 300
    again = bench.run("again", stage, inputs=inputs, paths={str(model): model})
    assert (again.digest, again.metrics) == (made.digest, made.metrics)
