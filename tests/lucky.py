"""Generation that stops at enough: a filter that accepts a share, and the stage that it judges."""

from __future__ import annotations

import zlib
from typing import Any, ClassVar

from faulty_server import FaultyServer
from toys import InProcess
from workbench import Workbench, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.sample import Sample
from potstill.pipeline.verdict import Verdict
from potstill.stages.generate import Generate

PROBLEMS = 12


class Lucky(InProcess):
    """Accepts about `share` of all completions, by their content; counts how many it judged."""

    kind: ClassVar[str] = "lucky"
    reasons: ClassVar[frozenset[str]] = frozenset({"lucky", "unlucky"})
    judged: ClassVar[list[str]] = []

    share: float = 0.4

    def judge_one(self, sample: Sample) -> Verdict:
        self.judged.append(sample.completion or "")
        good = zlib.crc32((sample.completion or "").encode()) % 1000 < 1000 * self.share
        return Verdict(float(good), "lucky" if good else "unlucky", {"length": 7})


def stage(server: FaultyServer, **more: Any) -> Generate:
    given = {
        "prompts": "problems",
        "teacher": {"engine": "openai", "base_url": server.url, "model": "r1"},
        "until": {"accepted": 2, "samples": 6},
        "accept": {"lucky": 1},
        "sampling": {"max_tokens": 50},
        "concurrency": 8,
        **more,
    }
    return Generate.model_validate({name: each for name, each in given.items() if each is not None})


def given(bench: Workbench, number: int = PROBLEMS, share: float = 0.4) -> dict[str, Any]:
    made = (problem(f"{n} + 1?", answer=str(n + 1), language="en") for n in range(number))
    inputs = {"problems": bench.samples("problems", made)}
    return {"inputs": inputs, "filters": {"lucky": Lucky(share=share)}}


def by_problem(made: Artifact) -> dict[str, list[bool]]:
    """Whether each sample of each problem is accepted, in the order of its index."""
    scores = made.verdict_table("lucky").column("score").to_pylist()
    found: dict[str, list[bool]] = {}
    for sample, score in zip(made.samples(), scores, strict=True):
        assert sample.generation is not None
        accepted = found.setdefault(sample.question, [])
        assert sample.generation.index == len(accepted)
        accepted.append(score == 1)
    return found
