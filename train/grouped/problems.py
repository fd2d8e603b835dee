"""From samples to problems: one row for each prompt, with the tokens that are served.

Completions of the data are ignored: the policy writes its own. Prompts are rendered by
`models/chat.py`, so the policy is asked exactly as it is when it is served. A row that asks the
same as an earlier one, cannot be rendered or leaves no room for an answer is left out with its
reason, and the counts close: in = problems + left out by reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pyarrow as pa

from ...models.chat import NotRenderable, RenderedPrompt, render_prompt
from ...pipeline.artifact import Artifact
from ...pipeline.errors import RequestError
from ...pipeline.progress import Progress
from ...pipeline.sample import SAMPLE_SCHEMA, Message, Sample
from ..rows.rendering import sample_batches

PROBLEM_SCHEMA: Final = SAMPLE_SCHEMA.append(pa.field("prompt_ids", pa.list_(pa.int32()))).append(
    pa.field("prefill", pa.string())
)
"""A sample without completion, the tokens of its rendered prompt, and what the template wrote of
the answer ("<think>\\n", or nothing)."""


@dataclass
class Problems:
    """Rows of `PROBLEM_SCHEMA`, and the account of all others."""

    table: pa.Table = field(default_factory=PROBLEM_SCHEMA.empty_table)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    """id, copy and reason."""
    tasks: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    longest: int = 0
    """Tokens of the longest prompt that is asked."""
    too_long: list[int] = field(default_factory=list)
    """Tokens of the prompts that leave no room for an answer."""
    _seen: set[str] = field(default_factory=set)

    @property
    def metrics(self) -> dict[str, Any]:
        """Counts, as JSON values."""
        reasons = Counter(row["reason"] for row in self.left_out)
        return {
            "in": self.rows,
            "problems": self.table.num_rows,
            "left_out": dict(sorted(reasons.items())),
            "tasks": dict(sorted(self.tasks.items())),
            "longest_prompt": self.longest,
        }

    def take(
        self,
        sample: Sample,
        copy: int,
        room: int,
        render: Callable[[tuple[Message, ...]], RenderedPrompt],
    ) -> dict[str, Any] | None:
        """Its row, or None where it is left out; counted in any case."""
        self.rows += 1
        row = self._row(sample, room, render)
        if isinstance(row, str):
            self.left_out.append({"id": sample.id, "copy": copy, "reason": row})
            return None
        self.tasks[sample.task] += 1
        self.longest = max(self.longest, len(row["prompt_ids"]))
        return row

    def _row(
        self,
        sample: Sample,
        room: int,
        render: Callable[[tuple[Message, ...]], RenderedPrompt],
    ) -> dict[str, Any] | str:
        """The row, or the reason why there is none."""
        if sample.prompt_id in self._seen:
            return "same_problem"
        self._seen.add(sample.prompt_id)
        try:
            prompt = render(sample.prompt)
        except NotRenderable as refusal:
            return refusal.reason
        if len(prompt.token_ids) > room:
            self.too_long.append(len(prompt.token_ids))
            return "too_long"
        asked = replace(sample, completion=None, generation=None)
        return {**asked.to_row(), "prompt_ids": prompt.token_ids, "prefill": prompt.prefill}


def read_problems(
    data: Artifact, tokenizer: Any, room: int, template_kwargs: dict[str, Any], progress: Progress
) -> Problems:
    """Every problem of `data` once, rendered.

    Args:
        room: most tokens of a prompt.
        template_kwargs: passed to the chat template.
    """

    def render(turns: tuple[Message, ...]) -> RenderedPrompt:
        return render_prompt(tokenizer, turns, template_kwargs)

    problems = Problems()
    tables = []
    for batch in sample_batches(data):
        rows = [problems.take(sample, copy, room, render) for sample, copy in batch]
        kept = [row for row in rows if row is not None]
        tables.append(pa.Table.from_pylist(kept, schema=PROBLEM_SCHEMA))
        progress.update(problems.rows, data.rows, phase="render", left_out=len(problems.left_out))
    if tables:
        problems.table = pa.concat_tables(tables)
    return problems


def refuse_no_room(problems: Problems, max_tokens: int, positions: int) -> None:
    """Stop rather than train without the long prompts unasked.

    Raises:
        RequestError: names how many prompts are too long, the longest, and what to set.
    """
    if not problems.too_long:
        return
    longest = max(problems.too_long)
    fits = f"Set max_tokens: {positions - longest} or less, or" if longest < positions else "Set"
    raise RequestError(
        f"{len(problems.too_long)} of {problems.rows} prompts leave no room for max_tokens "
        f"{max_tokens} in the {positions} positions of the model; the longest has {longest} "
        f"tokens. {fits} over_length: drop to train without them, each listed in left_out/."
    )
