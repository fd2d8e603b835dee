"""Texts that people wrote, on which a judge of form should find nothing: false alarms are counted.

Solutions of GSM8K and AIME, questions of CMATH, answers of alpaca in English and Chinese. They need
`../shared/data`. Alpaca's answers are of all kinds (poems, tables, some really refuse or speak two
languages), so `refusal` and `language` are asked about the others only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from potstill.filters import FILTERS
from potstill.pipeline.filter import JudgeContext, RowFilter
from potstill.pipeline.sample import Message, Sample, new_sample

DATA = Path(__file__).resolve().parents[2] / "../shared/data"
SOLVED = ("gsm8k_train", "gsm8k_test", "aime24")
ASKED = {"format": (*SOLVED, "alpaca_en_demo", "alpaca_zh_demo", "cmath")}
ASKED |= {"repetition": ASKED["format"], "refusal": SOLVED, "language": (*SOLVED, "cmath")}
"""Which sets each filter is asked about."""
CALM = 0.95
"""A score from which nothing was alarming."""


def texts(name: str) -> Iterator[tuple[str, str]]:
    """(question, text) of a set, with the calculator marks of GSM8K taken out."""
    if name.startswith("alpaca"):
        for row in json.loads((DATA / f"{name}.json").read_text("utf-8")):
            yield row["instruction"], row["output"]
        return
    for line in (DATA / f"{name}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        question = row.get("question") or row.get("problem") or ""
        text = question if name == "cmath" else str(row.get("solution") or row["answer"])
        yield question, text.rpartition("####")[0] or text


def sample(question: str, text: str, language: str) -> Sample:
    """The text as a thought and, since some judges read that, as the answer."""
    completion = f"<think>\n{text}\n</think>\n{text}"
    return new_sample((Message("user", question),), completion=completion, language=language)


def alarms() -> dict[str, tuple[int, int]]:
    """(texts, false alarms) by filter."""
    found = {}
    for kind, names in sorted(ASKED.items()):
        rows = [
            sample(question, text, "zh" if "zh" in name or name == "cmath" else "en")
            for name in names
            for question, text in texts(name)
            if text.strip()
        ]
        made = FILTERS[kind]()
        assert isinstance(made, RowFilter)
        with made.open(JudgeContext(workers=2)) as judge:
            verdicts = judge.judge(rows)
        loud = sum(verdict.score is None or verdict.score < CALM for verdict in verdicts)
        found[kind] = (len(rows), loud)
    return found
