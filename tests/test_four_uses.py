"""One object, four uses: the same filter instance as column, acceptance, reward and metric.

A teacher with a script answers every problem rightly, wrongly, in an open thought and in an
unknown way (a problem without a key); each use must say the same of the same completion.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from model_bench import ModelBench
from scripted_teacher import ScriptedTeacher
from workbench import problem

from potstill.filters.format import Format
from potstill.filters.math import MathAnswer
from potstill.models.opening import Opening
from potstill.models.request import Completion, Request
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.filter import JudgeContext
from potstill.pipeline.sample import Sample
from potstill.pipeline.verdicts import read_verdict_sets
from potstill.stages.evaluate import Evaluate
from potstill.stages.generate import Generate
from potstill.stages.judge import JudgeSamples
from potstill.train.rewards import Part, open_reward

MATH, FORMAT = MathAnswer(), Format()
FILTERS = {"math": MATH, "format": FORMAT}
ANSWERS = [
    "<think>one half</think>\\boxed{0.5}",
    "<think>two</think>\\boxed{2}",
    "<think>it is \\boxed{\\frac{1}{2}}",
    "no thought: \\boxed{\\frac12}",
]


def script() -> ScriptedTeacher:
    def answer(request: Request) -> Completion:
        return Completion(request.key, ANSWERS[request.index], "stop", 3, 4, "m", "{}")

    return ScriptedTeacher(answer=answer)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelBench:
    monkeypatch.setattr(Opening, "open", lambda opening: script().open())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return ModelBench(tmp_path / "run")


@pytest.fixture
def problems(bench: ModelBench) -> Artifact:
    keys = ["1/2", None, "\\frac{2}{4}"]
    return bench.samples("problems", [problem(f"Problem {k}?", answer=k) for k in keys])


def scores(artifact: Artifact, name: str) -> list[float | None]:
    return [row["score"] for row in artifact.verdict_table(name).to_pylist()]


EXPECTED = {
    "math": [1.0, 0.0, 0.0, 1.0, *[None] * 4, 1.0, 0.0, 0.0, 1.0],
    "format": [1.0, 1.0, 0.0, 0.0] * 3,
}


def test_the_same_instance_says_the_same_in_every_use(
    bench: ModelBench, problems: Artifact, tmp_path: Path
) -> None:
    common = {"inputs": {"problems": problems}, "filters": FILTERS}
    paths = {"./model": tmp_path / "model"}
    accept = Generate.model_validate(
        {
            "prompts": "problems",
            "teacher": {"model": "./model"},
            "samples": 4,
            "accept": {"math": 1, "format": 1},
        }
    )
    traces = bench.run("traces", accept, paths=paths, **common)
    column = bench.run(
        "column",
        JudgeSamples(samples="traces", filters=("math", "format")),
        inputs={"traces": traces},
        filters=FILTERS,
    )
    metric = bench.run(
        "metric",
        Evaluate(model="./model", problems="problems", correct="math", also=("format",)),
        paths=paths,
        **common,
    )
    samples = list(traces.samples())
    for name, expected in EXPECTED.items():
        assert scores(traces, name) == expected, "accept"
        assert scores(column, name) == expected, "judge"
        assert scores(metric, name) == expected, "evaluate"
        assert reward(name, samples) == expected, "reward"
    sets = [read_verdict_sets(each.path) for each in (traces, column, metric)]
    for name in FILTERS:
        assert len({each[name].about["fingerprint"] for each in sets}) == 1
        tables = [each.verdict_table(name).select(["score", "reason", "evidence"]) for each in
                  (traces, column, metric)]  # fmt: skip
        assert tables[0] == tables[1] == tables[2]
    assert traces.metrics["accepted"] == 2
    assert metric.metrics["pass@1"] == pytest.approx((0.5 + 0.0 + 0.5) / 3)
    assert metric.metrics["unjudged"] == 4
    assert column.metrics["filters"]["math"]["unjudged"] == 4


def reward(name: str, samples: list[Sample]) -> list[float | None]:
    """What trl would be told of the same prompts and completions."""
    with open_reward({name: Part(FILTERS[name])}, JudgeContext()) as asked:
        return asked(
            [[{"role": turn.role, "content": turn.content} for turn in s.prompt] for s in samples],
            [[{"role": "assistant", "content": s.completion}] for s in samples],
            answer=[s.answer for s in samples],
        )


def test_the_reward_is_the_sum_and_unknown_where_the_key_is() -> None:
    with open_reward(
        {"math": Part(MATH), "format": Part(FORMAT, 0.5)}, JudgeContext(workers=2)
    ) as asked:
        found = asked(["q"] * 4, ANSWERS, answer=["1/2", "1/2", "1/2", None])
    assert found == [1.5, 0.5, 0.0, None]
