"""Looking into artifacts and files: right counts, whole rows, and requests that can be mended."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from screens import HOSTILE, drawn

from potstill.pipeline.errors import RequestError, StepFailed
from potstill.views.inspect import inspect, show_inspection
from potstill.views.terminal import make_console, sanitise, to_json


def test_the_facts_of_samples(small_run: Any) -> None:
    traces = small_run["traces"]
    facts = inspect(traces.path).facts()
    assert facts["about"] == {
        "step": "traces", "kind": "generate", "address": "00000001",
        "inputs": {"problems": "00000001"}, "hashed": False,
    }  # fmt: skip
    shard = traces.path / "part-00000.parquet"
    assert facts["shards"] == [{"path": str(shard), "rows": 18, "bytes": shard.stat().st_size}]
    assert facts["rows"] == 18
    assert facts["columns"]["prompt"] == "[{role, content}]"
    assert facts["columns"]["completion"] == "String"
    assert facts["verdicts"]["math"] == {
        "rows": 18, "mean_score": pytest.approx(12 / 18), "unknown": 0,
        "reasons": {"correct": 12, "wrong": 6}, "scores": [6, *[0] * 9, 12],
    }  # fmt: skip
    assert facts["rejected"] == {"failed": {"rows": 1, "reasons": {"http_500": 1}}}
    assert facts["samples"] is None
    assert facts["metrics"] == {"attempts": 19, HOSTILE: None}
    text = drawn(inspect(traces.path))
    assert "18 rows" in text
    assert sanitise(HOSTILE) in text


def test_the_facts_of_verdicts(small_run: Any) -> None:
    facts = inspect(small_run["verdicts"].path).facts()
    assert facts["rows"] is None
    assert facts["shards"] == []
    assert facts["verdicts"]["loops"] == {
        "rows": 18, "mean_score": 0.5, "unknown": 6, "reasons": {"ok": 12, "unclear": 6},
        "scores": [0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0],
    }  # fmt: skip
    assert "mean score 0.50 of 12, 6 unknown" in drawn(inspect(small_run["verdicts"].path))


def test_the_facts_of_a_model(small_run: Any) -> None:
    path = small_run["qwen"].path
    assert inspect(path).files == [{"path": str(path / "model.safetensors"), "bytes": 2048}]
    assert "model.safetensors" in drawn(inspect(path))
    with pytest.raises(RequestError, match="holds no rows to look at: step 'qwen'"):
        inspect(path, sample=1)


def test_facts_are_json_and_stable(small_run: Any) -> None:
    for artifact in small_run.artifacts:
        asks: list[dict[str, Any]] = [{}, {"rejected": True}, {"sample": 2}]
        for ask in asks[:2] if artifact.step == "qwen" else asks:
            first, second = (to_json(inspect(artifact.path, **ask).facts()) for _ in range(2))
            assert first == second
            assert json.loads(first)["path"] == str(artifact.path)


@pytest.mark.parametrize(
    ("where", "matched"),
    [
        ("task = 'math' and language = 'zh'", 9),
        ("generation.index = 2", 6),
        ("math_score = 0", 6),
        ("math_reason = 'correct' and loops_score is null", 6),
        ("loops_score >= 0.5 and language = 'en'", 6),
        ("completion like '%nothing of that%'", 0),
    ],
)
def test_where(small_run: Any, where: str, matched: int) -> None:
    for step in ("traces", "verdicts"):  # a step that judges shows the samples it judged
        found = inspect(small_run[step].path, where=where, sample=100)
        assert found.matched == matched
        assert len(found.samples or []) == matched


def test_where_finds_verdicts_of_the_steps_before(small_run: Any) -> None:
    found = inspect(small_run["mixture"].path, where="loops_reason = 'ok'")
    assert found.matched == 12
    assert len(found.samples or []) == 5
    assert found.samples is not None
    assert found.samples[0]["verdicts"]["loops"] == {"score": 0.5, "reason": "ok", "evidence": {}}


@pytest.mark.parametrize(
    "where",
    ["tusk = 'math'", "task", "task = 3", "task = 'x'; drop table rows", "", "task = 'a' limit 1",
     "task in (select task from other)", "read_csv('/etc/passwd')"],
)  # fmt: skip
def test_a_wrong_where_is_a_request_to_mend(small_run: Any, where: str) -> None:
    with pytest.raises(RequestError, match="--where") as caught:
        inspect(small_run["traces"].path, where=where)
    assert len(str(caught.value)) < 600
    if where.startswith("tusk"):
        assert "Columns: id, prompt_id, prompt" in str(caught.value)
        assert "math_score, math_reason" in str(caught.value)


def test_samples_are_whole_seeded_and_with_their_verdicts(small_run: Any) -> None:
    found = inspect(small_run["traces"].path, sample=3)
    again = inspect(small_run["traces"].path, sample=3)
    assert found.samples == again.samples
    assert found.samples is not None
    assert len(found.samples) == 3
    by_id = {sample.id: sample for sample in small_run.traces}
    for shown in found.samples:
        assert shown["row"]["completion"] == by_id[shown["row"]["id"]].completion
        assert set(shown["verdicts"]) == {"math", "loops"}
        assert shown["verdicts"]["math"]["evidence"] == {"extracted": HOSTILE}
    text = drawn(found)
    assert sanitise(HOSTILE) in text
    assert "The answer is" in text


def test_by_id(small_run: Any) -> None:
    sample = small_run.traces[4]
    found = inspect(small_run["traces"].path, id=sample.id[:8])
    assert [shown["row"]["id"] for shown in found.samples or []] == [sample.id]
    assert inspect(small_run["traces"].path, id=sample.prompt_id).matched == 3
    assert inspect(small_run["mixture"].path, id=sample.prompt_id).matched == 4
    with pytest.raises(RequestError, match="no id or prompt_id"):
        inspect(small_run["traces"].path, id="nothing")


def test_an_artifact_of_no_rows(tmp_path: Path, small_run: Any) -> None:
    from potstill.pipeline.artifact import write_manifest
    from potstill.pipeline.shards import write_samples

    empty = tmp_path / "r" / "empty-00000001"
    write_samples(empty, [])
    body = {"step": "empty", "address": "00000001", "identity": {"kind": "load"}}
    write_manifest(empty, {**body, "inputs": {}, "rows": 0, "metrics": {}}, {})
    found = inspect(empty, where="task = 'math'", sample=3)
    assert (found.rows, found.matched, found.samples) == (0, 0, [])
    assert "0 rows" in drawn(found)


def test_damage_is_named(tmp_path: Path, small_run: Any) -> None:
    copied = tmp_path / "quickstart"
    shutil.copytree(small_run.folder, copied)
    shard = copied / "traces-00000001" / "part-00000.parquet"
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(StepFailed, match=r"part-00000\.parquet has .* bytes and .* in the"):
        inspect(shard.parent)
    with pytest.raises(RequestError, match=r"part-00000\.parquet cannot be read as parquet"):
        inspect(shard)


def test_inputs_that_were_removed_are_passed_over(tmp_path: Path, small_run: Any) -> None:
    copied = tmp_path / "quickstart"
    shutil.copytree(small_run.folder, copied)
    shutil.rmtree(copied / "traces-00000001")
    found = inspect(copied / "reasoning-00000001", rejected=True)
    assert found.rejected["left_out"]["examples"]["math"][0]["sample"] is None
    judged = inspect(copied / "verdicts-00000001", sample=2)
    assert judged.samples is not None
    assert set(judged.samples[0]["row"]) == {"id"}
    assert set(judged.samples[0]["verdicts"]) == {"math", "loops"}
    assert "loops" in drawn(judged)


def test_requests_that_are_wrong(tmp_path: Path, small_run: Any) -> None:
    with pytest.raises(RequestError, match="cannot be opened: No such file"):
        inspect(tmp_path / "missing.jsonl")
    (tmp_path / "notes.txt").write_text("{}", encoding="utf-8")
    with pytest.raises(RequestError, match=r"has no manifest\.json and no data file"):
        inspect(tmp_path)
    with pytest.raises(RequestError, match="--sample 0"):
        inspect(small_run["traces"].path, sample=0)


def test_columns(small_run: Any) -> None:
    path = small_run["traces"].path
    names = "id,generation.index,math_score,language"
    found = inspect(path, columns=names, where="math_score = 0", sample=2)
    assert list(found.columns) == ["id", "generation", "language"]
    assert found.samples is not None
    for shown in found.samples:
        row = shown["row"]
        assert list(row) == names.split(",")
        assert (row["generation.index"], row["math_score"], shown["verdicts"]) == (1, 0.0, {})
    figures = inspect(path, columns="language,completion").profile
    assert list(figures["counts"]) == ["language"]
    assert list(figures["lengths"]) == ["thought", "answer", "completion"]
    with pytest.raises(RequestError, match="no column 'langauge'; did you mean 'language'"):
        inspect(path, columns="langauge")
    with pytest.raises(RequestError, match="no column ','"):
        inspect(path, columns=",")


def test_an_export_shows_its_rows(tmp_path: Path) -> None:
    from potstill.pipeline.artifact import write_manifest

    made = tmp_path / "r" / "out-00000001"
    (made / "data").mkdir(parents=True)
    pl.DataFrame({"messages": ["a", "b"]}).write_parquet(made / "data" / "train-0.parquet")
    (made / "README.md").write_text("# card", encoding="utf-8")
    body = {"step": "out", "address": "00000001", "identity": {"kind": "export"}}
    write_manifest(made, {**body, "inputs": {}, "rows": None, "metrics": {}}, {})
    found = inspect(made)
    assert (found.rows, found.columns, found.about["kind"]) == (2, {"messages": "String"}, "export")
    assert [Path(file["path"]).name for file in found.files] == ["README.md"]


def test_hashes_that_are_remembered_are_compared(tmp_path: Path, small_run: Any) -> None:
    from potstill.pipeline.statcache import DigestCache

    copied = tmp_path / "quickstart"
    shutil.copytree(small_run.folder, copied)
    step = copied / "problems-00000001"
    assert "sha256 not compared" in drawn(inspect(step))
    cache = DigestCache(tmp_path / ".digests.json")
    for file in step.rglob("*.parquet"):
        cache.digest(file)
    cache.save()
    found = inspect(step)
    assert found.about["hashed"] is True
    assert "sha256" not in drawn(found)
    manifest = json.loads((step / "manifest.json").read_text("utf-8"))
    manifest["files"]["part-00000.parquet"]["sha256"] = "0" * 64
    (step / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(StepFailed, match="does not have the sha256"):
        inspect(step)


@pytest.mark.parametrize("width", [60, 100, 200])
def test_terminals_of_any_width(
    small_run: Any, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    from rich.cells import cell_len

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    asks: list[tuple[str, dict[str, Any]]] = [
        ("traces", {}), ("reasoning", {"rejected": True, "by": "language"}),
        ("traces", {"sample": 2}), ("traces", {"columns": "completion"}),
    ]  # fmt: skip
    for step, ask in asks:
        stream = Terminal()
        show_inspection(make_console(stream), inspect(small_run[step].path, **ask))
        plain = re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())
        lines = [line for line in plain.split("\n") if not line.startswith("/")]
        assert max(cell_len(line.rstrip()) for line in lines) <= width


def test_nested_metrics_are_shown_to_their_last_number(tmp_path: Path) -> None:
    from potstill.pipeline.artifact import write_manifest

    made = tmp_path / "r" / "mixed-00000001"
    made.mkdir(parents=True)
    report = {"source": {"gsm8k": {"samples": 10, "tokens": None}, "own": {"samples": 5}}}
    body = {"step": "mixed", "address": "00000001", "identity": {"kind": "mix"}, "inputs": {}}
    metrics = {"rows": 15, "left_out": {"too_long": 2}, "report": report}
    write_manifest(made, {**body, "rows": None, "metrics": metrics}, {})
    text = drawn(inspect(made))
    assert re.search(r"left_out/too_long +2\n", text)
    assert re.search(r"report/source/gsm8k +samples 10 · tokens unknown\n", text)
