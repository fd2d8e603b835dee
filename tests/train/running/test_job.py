"""A job is the same training again, in another process: no pickle, nothing lost on the way."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from potstill.filters.format import Format
from potstill.filters.math import MathAnswer
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.budget import Budget
from potstill.pipeline.errors import RequestError
from potstill.pipeline.progress import Progress
from potstill.pipeline.sample import Sample
from potstill.pipeline.stage import Context
from potstill.train.running.job import read_job, share_of, write_job
from potstill.train.running.numerics import Numerics
from potstill.train.sft import Sft

NUMERICS = Numerics("cpu", "float32", "float32", threads=1, processes=2)
ROWS = pa.table({"input_ids": [[1, 2], [3]], "labels": [[-100, 2], [3]]})


@pytest.fixture
def given(
    mixture: Callable[..., Artifact], context: Callable[..., Context], toy: list[Sample]
) -> Context:
    made = context(mixture(toy[:2]), Path("/models/student"))
    filters = {"math": MathAnswer(), "format": Format()}
    return replace(made, filters=filters, budget=Budget(tokens=100, usd=1.0), workers=5)


def test_there_and_back(sft: Callable[..., Sft], given: Context, tmp_path: Path) -> None:
    stage = sft(lora={"r": 4}, micro_batch=2, chat_template_kwargs={"enable_thinking": True})
    write_job(tmp_path / "job", stage, given, NUMERICS, "fsdp", ROWS)
    job = read_job(tmp_path / "job")
    assert (job.stage, type(job.stage)) == (stage, Sft)
    assert (job.numerics, job.sharding, job.rows) == (NUMERICS, "fsdp", ROWS)
    assert dict(job.context.filters) == dict(given.filters)
    assert job.context.inputs["mixture"].digest == given.inputs["mixture"].digest
    for name in ("step", "out", "paths", "digests", "journal", "workers", "limit", "budget"):
        assert getattr(job.context, name) == getattr(given, name)
    names = sorted(file.name for file in (tmp_path / "job").iterdir())
    assert names == ["job.json", "rows.arrow"]

    write_job(tmp_path / "other", sft(), given, NUMERICS, "fsdp", ROWS)
    write_job(tmp_path / "same", stage, given, NUMERICS, "fsdp", ROWS)
    assert read_job(tmp_path / "other").digest != job.digest == read_job(tmp_path / "same").digest


def test_a_class_that_only_this_process_has(given: Context, tmp_path: Path) -> None:
    class Own(Sft):
        pass

    stage = Own(data="mixture", model="./student")
    with pytest.raises(RequestError, match="Own cannot be found by the other processes"):
        write_job(tmp_path, stage, given, NUMERICS, "none", ROWS)


def test_a_forged_class_is_no_stage(
    sft: Callable[..., Sft], given: Context, tmp_path: Path
) -> None:
    write_job(tmp_path, sft(), given, NUMERICS, "none", ROWS)
    body = json.loads((tmp_path / "job.json").read_text())
    body["stage"]["class"] = "subprocess:Popen"
    (tmp_path / "job.json").write_text(json.dumps(body))
    with pytest.raises(AssertionError, match="Popen is no TrainingStage"):
        read_job(tmp_path)


def test_shares(given: Context) -> None:
    part = share_of(given, Progress(), here=2, processes=16)
    assert part.workers == 2
    assert part.budget == Budget(tokens=6, usd=1 / 16)
    assert share_of(given, Progress(), here=8, processes=8).workers == 1
