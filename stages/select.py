"""The `select` step: which samples go on, which are left out, and why.

    select:
      samples: traces
      verdicts: verdicts                 # one judge step or a list of them
      keep: {format: 1, language: 0.95, math: 1}
      per_prompt: {shortest: 2}

Rules are applied in one order, whatever the order in a recipe: keep, length, pass_rate, one_per,
per_prompt, balance; then `order` says how what stands goes on. Samples go on unchanged; each of the
others is named with one reason under `left_out/`. With `pairs` it is preference pairs that go on.
The rules are modules of `selecting/`, and docs/selecting.md tells them. Nothing is judged here.
"""

from __future__ import annotations

from typing import ClassVar

import polars as pl
from pydantic import model_validator

from ..pipeline.artifact import Artifact
from ..pipeline.errors import RequestError
from ..pipeline.filter import SampleFilter
from ..pipeline.pairs import refuse_pairs
from ..pipeline.references import FilterName, Samples, Verdicts
from ..pipeline.shards import shard_files
from ..pipeline.stage import Context, Metrics, Stage
from .selecting.balance import Balance, unbalanced
from .selecting.choosing import PerPrompt, in_order, surplus
from .selecting.contradictions import refuse_contradictions
from .selecting.diversity import less_diverse
from .selecting.duplicates import OnePer, SameBy, duplicates, one_per_measures, with_groups
from .selecting.funnel import Funnel
from .selecting.index import read_index
from .selecting.lengths import Lengths, misfits
from .selecting.ordering import Order, Ordered, rows_in_order
from .selecting.pairs import Pairs, make_pairs, pair_facts, unpaired, write_pairs
from .selecting.rates import PassRate, outside_band, rate_facts, with_rates
from .selecting.scores import Scores
from .selecting.thresholds import Threshold, Unknown, meet, unmet
from .selecting.writing import write_kept, write_left_out


class Select(Stage):
    """Lets good samples go on, or pairs of a good and a bad one."""

    kind: ClassVar[str] = "select"
    version: ClassVar[int] = 2

    samples: Samples
    verdicts: Verdicts | tuple[Verdicts, ...] = ()
    """Where verdicts are found, beside those that the samples' own step published."""
    keep: dict[FilterName, Threshold] = {}
    """Least score by filter."""
    unknown: Unknown | dict[FilterName, Unknown] = "leave_out"
    """What `keep` does with samples whose score is unknown."""
    length: Lengths | None = None
    """Least and most lengths of prompt, completion, thought and answer."""
    pass_rate: PassRate | None = None
    """Which share of a problem's samples may be right."""
    one_per: OnePer | None = None
    """exact, problem_text or {by: FILTER}: one sample of each group of duplicates."""
    per_prompt: PerPrompt | None = None
    """How many samples of one problem, and which."""
    balance: Balance | None = None
    """Proportions of a column's values, by leaving out."""
    order: Ordered = "data"
    """In which order samples go on."""
    pairs: Pairs | None = None
    """Make preference pairs for dpo of samples that are kept and samples that are known bad."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Select:
        refuse_contradictions(self)
        return self

    def run(self, context: Context) -> Metrics:
        """Write the samples or pairs that go on, and `left_out/`.

        Raises:
            RequestError: no verdicts of a filter on these samples, they are pairs already, or a
                balance that cannot be had.
            StepFailed: verdicts do not belong to the samples, nothing is kept, or the disk is full.
        """
        source = context.samples(self.samples)
        refuse_pairs(source, "select.samples")
        scores = self._scores(source, context)
        index = read_index(source, self._measures())
        ids, facts = index["id"], {}
        if self.pass_rate is not None:
            index = with_rates(index, scores.read(self.pass_rate.by, ids)["score"], self.pass_rate)
            facts["pass_rate"] = rate_facts(index)
        reasons, told = meet(self.keep, self.unknown, scores, ids)
        facts |= {"filters": told} if told else {}
        funnel = Funnel(index.with_columns(reason=reasons))
        del index  # the funnel's own shrinks with every rule
        if self.pairs is not None:
            verdicts = scores.read(self.pairs.by, ids)
            facts |= self._pair_up(self.pairs, funnel, verdicts, facts, context)
        else:
            if self.keep:
                funnel.leave_out("keep", funnel.standing.select("row", "reason"))
            self._fit(funnel)
            self._thin_out(funnel, scores, ids, context)
            facts |= self._balanced(funnel, facts, context)
            rows = rows_in_order(funnel.standing, self.in_order)
            write_kept(shard_files(source.path), rows, context)
        write_left_out(shard_files(source.path), funnel.left, context)
        return funnel.account() | facts

    @property
    def in_order(self) -> Order:
        """`order` with its seed."""
        return self.order if isinstance(self.order, Order) else Order(by=self.order)

    def _scores(self, source: Artifact, context: Context) -> Scores:
        """The verdicts of all filters that a rule names."""
        groups = self.one_per if isinstance(self.one_per, SameBy) else None
        rules = [rule for rule in (self.pass_rate, groups, self.pairs) if rule is not None]
        steps = (self.verdicts,) if isinstance(self.verdicts, str) else self.verdicts
        names = sorted({*self.keep, *(rule.by for rule in rules)})
        return Scores(names, source, steps, context)

    def _measures(self) -> dict[str, pl.Expr]:
        """What the rules ask of each row."""
        rules = (self.length, self.per_prompt, self.balance, self.in_order, self.pairs)
        asked = [rule.measures() for rule in rules if rule is not None]
        asked.append(one_per_measures(self.one_per) if self.one_per else {})
        return {name: measure for each in asked for name, measure in each.items()}

    def _fit(self, funnel: Funnel) -> None:
        """Leave out samples of other lengths, and problems that are too easy or too hard."""
        if self.length is not None:
            funnel.leave_out("length", misfits(funnel.standing, self.length))
        if self.pass_rate is not None and self.pass_rate.has_band:
            funnel.leave_out("pass_rate", outside_band(funnel.standing, self.pass_rate))

    def _thin_out(self, funnel: Funnel, scores: Scores, ids: pl.Series, context: Context) -> None:
        """Leave out duplicates, and what is too many of one problem."""
        rule = self.per_prompt
        first = PerPrompt(first=1)
        order, seed = (rule or first).order, (rule or first).seed
        if self.one_per is not None:
            standing = in_order(funnel.standing, order, seed)
            if isinstance(self.one_per, SameBy):
                standing = with_groups(standing, self._links(self.one_per.by, scores, ids, context))
            funnel.leave_out("one_per", duplicates(standing))
        if rule is not None and rule.choose == "diverse":
            source = context.samples(self.samples)
            left = less_diverse(funnel.standing, rule.most, rule.of, source, context)
            funnel.leave_out("per_prompt", left)
        elif rule is not None:
            ordered = in_order(funnel.standing, order, seed)
            funnel.leave_out("per_prompt", surplus(ordered, rule.most))

    def _links(self, name: str, scores: Scores, ids: pl.Series, context: Context) -> pl.DataFrame:
        links = scores.duplicates(name, ids)
        if links.is_empty() and isinstance(context.filters[name], SampleFilter):
            raise RequestError(
                f"one_per.by: filter {name!r} judges each sample by itself and names no "
                "duplicates. Expected a filter that compares samples, or exact or problem_text"
            )
        return links

    def _balanced(self, funnel: Funnel, facts: Metrics, context: Context) -> Metrics:
        funnel.refuse_nothing(self.samples, unmet(facts.get("filters", {})))
        if self.balance is None:
            return {}
        left, told = unbalanced(funnel.standing, self.balance)
        funnel.leave_out("balance", left)
        return {"balance": told}

    def _pair_up(
        self,
        pairs: Pairs,
        funnel: Funnel,
        verdicts: pl.DataFrame,
        facts: Metrics,
        context: Context,
    ) -> Metrics:
        """Write pairs of what stands; returns what is told of them."""
        self._fit(funnel)
        said = verdicts.rename({"reason": "said"})[funnel.standing["row"]]
        index = funnel.standing.hstack(said)
        least = pairs.least(self.keep.get(pairs.by))
        made = make_pairs(index, pairs, least)
        funnel.leave_out("pairs", unpaired(index, made, pairs, least))
        funnel.refuse_nothing(self.samples, unmet(facts.get("filters", {})))
        write_pairs(shard_files(context.samples(self.samples).path), made, context)
        return pair_facts(index, made) | {"used": len(funnel.standing)}
