"""A small work directory with whole manifests, for tests of `why`: rows by hand, real steps.

What a teacher would write is given; `judge`, `select`, `mix` and `label` are the real steps, so
the reasons and columns that `why` explains are those that users have.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
import pyarrow.parquet as pq
from toys import InProcess
from workbench import verdict_table

from potstill.pipeline.artifact import Artifact, open_artifact, write_manifest
from potstill.pipeline.filter import Filter
from potstill.pipeline.references import identity_config
from potstill.pipeline.sample import Generation, Message, Sample, new_sample, with_ids
from potstill.pipeline.shards import shard_files, write_rows, write_samples
from potstill.pipeline.stage import Context, Stage
from potstill.pipeline.verdict import Verdict
from potstill.pipeline.verdicts import samples_digest, write_verdicts
from potstill.stages.judge import JudgeSamples
from potstill.stages.select import Select
from potstill.views.terminal import make_console
from potstill.views.why import Life, show_why

ADDRESS = "00000001"

_ACTING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028]")


class Named(InProcess):
    """Says what the sample's completion says: `math=0.5:half` in it is that score and reason."""

    kind: ClassVar[str] = "named"
    reasons: ClassVar[frozenset[str]] = frozenset({"good", "wrong", "half", "silent", "near"})

    name: str

    def judge_one(self, sample: Sample) -> Verdict:
        for word in (sample.completion or "").split():
            name, _, said = word.partition("=")
            if name == self.name:
                score, _, reason = said.partition(":")
                return Verdict(None if score == "?" else float(score), reason, {"word": word})
        return Verdict(1.0, "good")


def asked(question: str, **fields: Any) -> Sample:
    """A problem."""
    return new_sample((Message("user", question),), **fields)


def answered(
    question: str,
    completion: str,
    index: int = 0,
    finish_reason: str = "stop",
    tokens: int | None = 7,
    **fields: Any,
) -> Sample:
    """A sample that a teacher wrote."""
    made = Generation("teacher", "1", f"{question}{completion}", index, 1, finish_reason, 5, tokens)
    return asked(question, completion=completion, generation=made, **fields)


class Lives:
    """Artifacts of one recipe below a work directory, in the order in which they were made."""

    def __init__(
        self, work: Path, recipe: str = "tale", filters: Iterable[str] = ("math",)
    ) -> None:
        self.work = work
        self.run = work / recipe
        self.filters: dict[str, Filter] = {name: Named(name=name) for name in filters}
        self.made: dict[str, Artifact] = {}

    @property
    def artifacts(self) -> list[Artifact]:
        return list(self.made.values())

    def hold(
        self,
        name: str,
        kind: str,
        samples: Iterable[Sample],
        inputs: Sequence[str] = (),
        config: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
        judged: Iterable[str] = (),
        **aside: Iterable[Mapping[str, Any]],
    ) -> list[Sample]:
        """A finished step with these rows, its own verdicts, and rows set aside by folder."""
        out = self.run / f"{name}-{ADDRESS}"
        rows = list(with_ids(samples))
        if rows:
            write_samples(out, rows)
        for folder, lines in aside.items():
            write_rows(out / folder, lines, pa.Table.from_pylist(list(lines)).schema)
        for each in judged:
            judge = self.filters[each]
            assert isinstance(judge, Named)
            said = verdict_table((sample.id, judge.judge_one(sample)) for sample in rows)
            write_verdicts(out, each, judge.identity(str), samples_digest(out), [said])
        self._finish(name, kind, dict(config or {}), inputs, dict(metrics or {}))
        return rows

    def step(self, name: str, stage: Stage, *inputs: str, paths: Any = None) -> Artifact:
        """A finished step, really run."""
        out = self.run / f"{name}-{ADDRESS}"
        out.mkdir(parents=True)
        context = Context(
            step=f"{self.run.name}/{name}",
            out=out,
            inputs={step: self.made[step] for step in inputs},
            filters=self.filters,
            paths=paths or {},
            digests=dict.fromkeys(paths or (), "0"),
            journal=self.work / "journal.sqlite",
        )
        metrics = stage.run(context)
        return self._finish(name, stage.kind, identity_config(stage, str), inputs, metrics)

    def _finish(
        self,
        name: str,
        kind: str,
        config: Mapping[str, Any],
        inputs: Iterable[str],
        metrics: Mapping[str, Any],
    ) -> Artifact:
        out = self.run / f"{name}-{ADDRESS}"
        out.mkdir(parents=True, exist_ok=True)
        shards = shard_files(out)
        body = {
            "step": name,
            "address": ADDRESS,
            "identity": {
                "kind": kind,
                "config": config,
                "inputs": dict.fromkeys(inputs, ADDRESS),
            },
            "inputs": {},
            "rows": sum(pq.read_metadata(file).num_rows for file in shards) if shards else None,
            "metrics": metrics,
        }
        write_manifest(out, body, {})
        artifact = open_artifact(out)
        assert artifact is not None
        self.made[name] = artifact
        return artifact


def id_of(lives: Lives, completion: str, step: str = "traces") -> str:
    """The sample of a step with this completion."""
    return next(s.id for s in lives.made[step].samples() if s.completion == completion)


def select(lives: Lives, name: str = "reasoning", **rules: Any) -> None:
    """Choose among `traces` by the verdicts of `verdicts`."""
    stage = Select(samples="traces", verdicts="verdicts", **rules)
    lives.step(name, stage, "traces", "verdicts")


def drawn(life: Life) -> str:
    """What a user sees of it, in a pipe; nothing in it acts on a terminal."""
    stream = io.StringIO()
    show_why(make_console(stream), life)
    assert not _ACTING.search(stream.getvalue())
    return stream.getvalue()


def event(life: Life, what: str, **like: Any) -> Mapping[str, Any]:
    """The one event of this kind."""
    found = [e for e in life.events if e["what"] == what and like.items() <= e.items()]
    assert len(found) == 1
    return found[0]


def two_problems(work: Path) -> Lives:
    """Two problems, six and two attempts; judged."""
    lives = Lives(work, filters=("math", "language"))
    lives.hold("problems", "load", [asked("one", answer="1"), asked("two", answer="2")])
    config = {
        "accept": {"math": 1},
        "samples": 1,
        "until": {"accepted": 3, "samples": 6},
        "escalate": [{"samples": 2}],
    }
    traces = [
        answered("one", "a" * 30, 0),
        answered("one", "language=0.91:half", 1),
        answered("one", "bb math=0:wrong", 2),
        answered("one", "ccc", 3),
        answered("one", "cut math=0:wrong", 4, finish_reason="length"),
        answered("one", "dddd", 6),
        answered("two", "math=0:wrong", 0),
        answered("two", "math=?:silent", 1),
    ]
    failed = [{"prompt_id": traces[6].prompt_id, "index": 2, "reason": "http_500", "detail": "no"}]
    lives.hold("traces", "generate", traces, ["problems"], config, judged=["math"], failed=failed)
    lives.step("verdicts", JudgeSamples(samples="traces", filters=("math", "language")), "traces")
    return lives
