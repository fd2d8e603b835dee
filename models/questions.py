"""The messages that a model is sent about a row: system turn, worked examples, filled template.

Made once per step, asked for every row, so the plain question costs next to nothing. A template
goes around the last user turn and the turns before it stay; to rewrite a completion the filled
template is the only user turn, since the whole text to work on is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import repeat

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError, StepFailed
from ..pipeline.sample import Message, Sample
from ..pipeline.shards import read_table, shard_files
from ..pipeline.stage import Context
from ..pipeline.verdict import Verdict
from ..pipeline.verdicts import VerdictSet, read_verdict_sets, samples_digest
from .few_shot import Drawn, Pool
from .prompts import Asking

_NONE: Mapping[str, Verdict] = {}


class Questions:
    """How each row is asked: template, system, few-shot examples.

    Args:
        pool: samples that examples are drawn from, where `few_shot` names a step.

    Raises:
        RequestError: the pool is too small.
    """

    def __init__(self, asking: Asking, pool: Iterable[Sample] = ()) -> None:
        self._template = asking.prompt
        self._system = None if asking.system is None else Message("system", asking.system)
        self._pool: Pool | None = None
        self._examples: tuple[tuple[Sample, str], ...] = ()
        if isinstance(asking.few_shot, Drawn):
            keep_extra = "extra" in asking.prompt.variables
            self._pool = Pool(asking.few_shot, pool, keep_extra=keep_extra)
        else:
            self._examples = tuple((each.row(), each.answer) for each in asking.few_shot)
        self._by_language: dict[str | None, list[Message]] = {}
        has_examples = self._pool is not None or bool(self._examples)
        self._adds_nothing = not has_examples and self._system is None and self._template.is_plain

    @classmethod
    def of(cls, asking: Asking, context: Context) -> Questions:
        """For a running step: the pool is the artifact of the step that `few_shot` names."""
        if not isinstance(asking.few_shot, Drawn):
            return cls(asking)
        return cls(asking, context.samples(asking.few_shot.source).samples())

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know before anything is spent."""
        note = self._pool.note if self._pool else None
        return (note,) if note else ()

    def messages(
        self,
        problem: Sample,
        verdicts: Mapping[str, Verdict] | None = None,
        rewrite: bool = False,
    ) -> tuple[Message, ...]:
        """What the model is sent for a row.

        Args:
            verdicts: what is known of the row, by filter; None where the step names no verdicts.
            rewrite: the filled template is the whole question; the row's own turns are left out.

        Raises:
            RequestError: the row lacks what the template prints, or a user turn to go around, or
                examples.
        """
        if self._adds_nothing and not rewrite:
            return problem.prompt
        if rewrite:
            asked = Message("user", self._template.fill(problem, verdicts))
            return (*self._system_turn(), *self._shots(problem), asked)
        turns = self._around_the_question(problem, verdicts)
        if self._system is not None:
            turns = [turn for turn in turns if turn.role != "system"]
        leading = 0
        while leading < len(turns) and turns[leading].role == "system":
            leading += 1
        own, rest = turns[:leading], turns[leading:]
        return (*self._system_turn(), *own, *self._shots(problem), *rest)

    def _around_the_question(
        self, problem: Sample, verdicts: Mapping[str, Verdict] | None
    ) -> list[Message]:
        turns = list(problem.prompt)
        last = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=None)
        if last is not None:
            turns[last] = Message("user", self._template.fill(problem, verdicts))
        elif not self._template.is_plain:
            raise RequestError(
                f"problem {problem.prompt_id} has no user turn to put the template "
                f"{self._template.name!r} around; use prompt: plain, or leave the row out"
            )
        return turns

    def _system_turn(self) -> tuple[Message, ...]:
        return () if self._system is None else (self._system,)

    def _shots(self, problem: Sample) -> list[Message]:
        if self._pool is not None:
            drawn = self._pool.draw(problem)
            return self._turns(((row, row.completion or "") for row in drawn), problem)
        shots = self._by_language.get(problem.language)
        if shots is None:
            shots = self._turns(self._examples, problem)
            self._by_language[problem.language] = shots
        return shots

    def _turns(self, examples: Iterable[tuple[Sample, str]], problem: Sample) -> list[Message]:
        """The examples in the problem's language."""
        turns = []
        for row, reply in examples:
            asked = self._template.fill(row, like=problem)
            turns += [Message("user", asked), Message("assistant", reply)]
        return turns


def rows_with_verdicts(
    samples: Artifact, verdicts: Artifact | None
) -> Iterator[tuple[Sample, Mapping[str, Verdict]]]:
    """Each sample with what every filter said of it, a shard in memory at a time.

    Args:
        verdicts: the artifact of a step that judged exactly these samples; None: no verdicts.

    Raises:
        RequestError: it judged nothing, or other samples.
        StepFailed: its files do not hold the samples' verdicts in their order.
    """
    if verdicts is None:
        return zip(samples.samples(), repeat(_NONE))
    sets = read_verdict_sets(verdicts.path)
    digest = samples_digest(samples.path)
    if not sets:
        raise RequestError(f"step {verdicts.step!r} holds no verdicts; name a judge step")
    for name, found in sets.items():
        if found.about["samples"] != digest:
            raise RequestError(
                f"step {verdicts.step!r} judged other samples with {name!r} than those of step "
                f"{samples.step!r}. Name a judge step whose samples are {samples.step!r}."
            )
    return _side_by_side(samples, sets)


def _side_by_side(
    samples: Artifact, sets: Mapping[str, VerdictSet]
) -> Iterator[tuple[Sample, Mapping[str, Verdict]]]:
    readers = {name: _verdicts(found) for name, found in sets.items()}
    for sample in samples.samples():
        row = {}
        for name, reader in readers.items():
            sample_id, verdict = next(reader, ("", None))
            if verdict is None or sample_id != sample.id:
                raise StepFailed(
                    f"{sets[name].path} does not hold the verdict of sample {sample.id} in its "
                    "place. Remove its step's folder and run again."
                )
            row[name] = verdict
        yield sample, row


def _verdicts(found: VerdictSet) -> Iterator[tuple[str, Verdict]]:
    for file in shard_files(found.path):
        for batch in read_table(file).to_batches(max_chunksize=1000):
            for row in batch.to_pylist():
                yield row["id"], Verdict.from_row(row)
