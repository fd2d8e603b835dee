"""Which sample or problem is meant: by a prefix of its id, by the data's own id, or by words.

Tried in this order, and the first that finds anything counts: ids of samples and problems that
begin with the text; an id that the data brought (`id`, `task_id`, … in `extra`) and that equals
it; prompts that hold the words. The last two look where rows came in only, since no later step
makes new ones; there also at rows that were set aside and so have no id at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl

from ..pipeline.errors import RequestError
from .terminal import counted, one_line
from .why_steps import ROW, Step, matching, whole_rows

SHORTEST_PREFIX: Final = 6
MAX_CANDIDATES: Final = 10
_WORDS_SHOWN: Final = 50
_ID_NAME: Final = re.compile(r"(?i)(.*[_-])?(id|uid|uuid|idx|index|key)")
"""Columns of the data that name a row: `id`, `task_id`, `problem-id`, `uuid`, `index`."""


@dataclass(frozen=True)
class Found:
    """One thing that the text may mean."""

    what: str
    """`sample`, `problem`, or `row` for one that was set aside before it became a sample."""
    id: str
    """Of a row: file and line."""
    step: Step
    prompt_id: str = ""
    row: dict[str, Any] = field(default_factory=dict)
    """What is known of a row that was set aside."""


def find(steps: Sequence[Step], text: str) -> Found:
    """The one sample, problem or row that is meant.

    Raises:
        RequestError: nothing is, or several are; the message lists them.
    """
    text = text.strip()
    long_enough = len(text) >= SHORTEST_PREFIX
    searches = ((_by_prefix,) if long_enough else ()) + (_by_own_id,)
    searches += (_by_words,) if long_enough else ()
    for search in searches:
        found = search(steps, text)
        exact = [each for each in found if each.id == text]
        if len(found) == 1 or len(exact) == 1:
            return exact[0] if exact else found[0]
        if found:
            raise RequestError(_several(found, text))
    raise RequestError(_nothing(steps, text, long_enough))


def sources(steps: Sequence[Step]) -> list[Step]:
    """The steps with rows that no other of these steps made: where prompts came in."""
    return [
        step
        for step in steps
        if step.samples is not None and not any(_rows_come_from(step, other) for other in steps)
    ]


def _rows_come_from(step: Step, other: Step) -> bool:
    below = step.artifact.path.is_relative_to(other.artifact.path) and step is not other
    is_input = step.inputs.get(other.name) == other.artifact.address and step.run == other.run
    return below or (is_input and other.samples is not None)


def _by_prefix(steps: Sequence[Step], text: str) -> list[Found]:
    ids: dict[str, Found] = {}
    problems: dict[str, Found] = {}
    for step in steps:
        if step.samples is None:
            continue
        begins = {name: pl.col(name).str.starts_with(text) for name in ("id", "prompt_id")}
        rows = matching(step.samples, begins["id"] | begins["prompt_id"], begins)
        for _, sample_id, prompt_id in rows.iter_rows():
            if prompt_id.startswith(text):
                problems.setdefault(prompt_id, Found("problem", prompt_id, step, prompt_id))
            if sample_id.startswith(text):
                ids.setdefault(sample_id, Found("sample", sample_id, step, prompt_id))
    return [*ids.values(), *problems.values()]


def _by_own_id(steps: Sequence[Step], text: str) -> list[Found]:
    found: dict[str, Found] = {}
    as_text = json.dumps(text, ensure_ascii=False)
    spelled = pl.col("extra").str.contains(f":{as_text}", literal=True)
    if re.fullmatch(r"-?\d+(\.\d+)?", text):  # a number, in the canonical JSON of `extra`
        spelled |= pl.col("extra").str.contains(rf":{re.escape(text)}[,}}]")
    for step in sources(steps):
        if step.samples is None or "extra" not in step.samples.collect_schema().names():
            continue
        rows = matching(step.samples, spelled, ("prompt_id", "extra"))
        for _, prompt_id, extra in rows.iter_rows():
            if _names_it(json.loads(extra), text):
                found.setdefault(prompt_id, Found("problem", prompt_id, step, prompt_id))
    return list(found.values())


def _names_it(extra: dict[str, Any], text: str) -> bool:
    return any(
        _ID_NAME.fullmatch(name) and not isinstance(value, bool) and str(value) == text
        for name, value in extra.items()
    )


def _by_words(steps: Sequence[Step], text: str) -> list[Found]:
    pattern = r"(?i)" + r"\s+".join(map(re.escape, text.split()))
    says = pl.element().struct.field("content").str.contains(pattern)
    holds = pl.col("prompt").list.eval(says).list.any()
    found: dict[str, Found] = {}
    for step in sources(steps):
        if step.samples is not None:
            rows = matching(step.samples, holds, ("prompt_id",)).unique("prompt_id")
            for prompt_id in rows.sort(ROW)["prompt_id"]:
                found.setdefault(prompt_id, Found("problem", prompt_id, step, prompt_id))
    return [*found.values(), *_set_aside(steps, pattern)]


def _set_aside(steps: Iterable[Step], pattern: str) -> list[Found]:
    """Rows of the data that were quarantined and hold the words."""
    found = []
    for step in steps:
        frame = step.aside("quarantine")
        if frame is None or frame.collect_schema().get("text") != pl.String:
            continue
        columns = [name for name in frame.collect_schema().names() if not name.startswith("__")]
        rows = matching(frame, pl.col("text").str.contains(pattern), columns)
        for row in rows.drop(ROW).iter_rows(named=True):
            line = row.get("line", row.get("row"))
            found.append(Found("row", f"{row.get('file') or step.label} {line}", step, row=row))
    return found


def _several(found: Sequence[Found], text: str) -> str:
    shown = found[:MAX_CANDIDATES]
    words = _first_words(shown)
    lines = [f"  {each.what} {each.id} in {each.step.label}{words.get(each.id, '')}"
             for each in shown]  # fmt: skip
    more = len(found) - len(lines)
    lines += [f"  and {more:,} more"] if more > 0 else []
    kind = "ids begin with" if found[0].id.startswith(text) else "problems or rows have"
    return f"{len(found):,} {kind} {text!r}; expected one. Name one of them:\n" + "\n".join(lines)


def _first_words(found: Iterable[Found]) -> dict[str, str]:
    """How the text of problems and rows begins, by id."""
    words = {}
    of_step: dict[Step, list[str]] = {}
    for each in found:
        if each.what == "row":
            said = one_line(each.row["text"], _WORDS_SHOWN)
            words[each.id] = f": {each.row.get('reason')}: {said}"
        elif each.what == "problem":
            of_step.setdefault(each.step, []).append(each.prompt_id)
    for step, prompt_ids in of_step.items():
        for row in whole_rows(step, "prompt_id", prompt_ids):
            words[row["prompt_id"]] = f": {one_line(row['prompt'][-1]['content'], _WORDS_SHOWN)}"
    return words


def _nothing(steps: Sequence[Step], text: str, long_enough: bool) -> str:
    if not long_enough:
        return (
            f"{text!r} has {counted(len(text), 'character')}; expected at least {SHORTEST_PREFIX} "
            "of an id, such as `potstill inspect STEP --sample 3` shows them, an id that the data "
            "brought, or words of a prompt"
        )
    if not steps:
        return "no step is finished in the work directory; name another one with --work"
    looked = ", ".join(step.label for step in steps if step.samples is not None) or "none"
    return (
        f"no id of a sample or problem begins with {text!r}, no row brought it as its own id, and "
        f"no prompt holds these words, in the finished steps ({looked}). "
        "`potstill inspect STEP --sample 3` shows ids."
    )
