"""Where crash tests run: a `Site` is a folder with a recipe, its problems and a work directory.

Half of the answers that its server gives are rejected by the recipe's filter, so stopping at enough
accepted ones has something to count. How it is run, and killed, is in crash_runs.py; what must hold
afterwards in crash_invariants.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faulty_server import FaultyServer, serving

TOKENS = 18
"""Of each answer of the server: 11 of the prompt and 7 of the completion."""

FIXED: Mapping[str, Any] = {"samples": 3}
UNTIL: Mapping[str, Any] = {"until": {"accepted": 2, "samples": 5}}


class HalfRight(FaultyServer):
    """Every other answer never closes its thought, so that `format` rejects it."""

    def answer(self, body: dict[str, Any], name: str) -> dict[str, Any]:
        made = super().answer(body, name)
        if int(name, 16) % 2:
            message = made["choices"][0]["message"]
            message["content"] = message["content"].replace("</think>", "")
        return made


@dataclass
class Site:
    """A folder with a recipe; its `server` answers, its `work` holds what was made."""

    folder: Path
    server: FaultyServer
    concurrency: int

    @property
    def recipe(self) -> Path:
        return self.folder / "recipe.yaml"

    @property
    def work(self) -> Path:
        return self.folder / "work"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    def artifact(self, step: str) -> Path:
        (found,) = (self.work / "crash").glob(f"{step}-*")
        return found


@contextmanager
def open_site(
    folder: Path,
    asking: Mapping[str, Any] = UNTIL,
    problems: int = 40,
    concurrency: int = 8,
    **server: Any,
) -> Iterator[Site]:
    """A site whose recipe loads, generates, judges and selects."""
    folder.mkdir(parents=True)
    with serving(HalfRight(retry_after="0.01", **server)) as running:
        site = Site(folder, running, concurrency)
        lines = ({"prompt": f"{n} + 1?", "answer": str(n + 1)} for n in range(problems))
        text = "".join(json.dumps({**line, "language": "en"}) + "\n" for line in lines)
        (folder / "problems.jsonl").write_text(text, encoding="utf-8")
        site.recipe.write_text(json.dumps(_recipe(site, asking)), encoding="utf-8")
        yield site


def _recipe(site: Site, asking: Mapping[str, Any]) -> dict[str, Any]:
    teacher = {"base_url": f"{site.server.url}/v1", "model": "r1", "attempts": 12}
    traces = {
        "prompts": "problems",
        "teacher": teacher,
        "sampling": {"max_tokens": 50},
        "accept": {"format": 1},
        "concurrency": site.concurrency,
        **asking,
    }
    chosen = {"samples": "traces", "verdicts": "verdicts", "keep": {"format": 1}}
    return {
        "potstill": 1,
        "name": "crash",
        "filters": {"format": {}, "length": {}},
        "steps": {
            "problems": {"load": {"source": "./problems.jsonl"}},
            "traces": {"generate": traces},
            "verdicts": {"judge": {"samples": "traces", "filters": ["format", "length"]}},
            "chosen": {"select": chosen},
        },
    }
