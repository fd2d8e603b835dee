"""A step that asks a model, seen from its config: its order, its bill, its forecast, its prompt.

`generate` and `evaluate` differ in what they ask and what they make of the answers; everything
between is the same and stands here: problems, questions and tiers become an `Order`, and an order
can be priced before anything is bought.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..models.journal import Bought, Journal, read_journal
from ..models.meter import Spread, dollars
from ..models.opening import Opening
from ..models.order import Order, Row, Tier
from ..models.preview import Preview, preview_of
from ..models.prompts import Asking
from ..models.questions import Questions, rows_with_verdicts
from ..models.request import Keys
from ..models.sampling import Sampling as Draw
from ..models.teacher import EndpointTeacher, LocalTeacher, Price
from ..pipeline.forecast import Forecast
from ..pipeline.stage import Context
from .sampled import Sampling


@dataclass(frozen=True)
class TierConfig:
    """One way of asking, as the recipe says it."""

    teacher: LocalTeacher | EndpointTeacher
    sampling: Draw
    samples: int


class Asked:
    """What a step asks, with its inputs at hand.

    Args:
        prompts: name of the step whose samples are the problems.
        quota: accepted samples at which a problem has enough; None: all samples are drawn.
    """

    def __init__(
        self,
        asking: Asking,
        context: Context,
        *,
        prompts: str,
        tiers: tuple[TierConfig, ...],
        thresholds: Mapping[str, float],
        quota: int | None = None,
        verdicts: str | None = None,
        refine: bool = False,
    ) -> None:
        self._asking = asking
        self._context = context
        self._tiers = tiers
        self._thresholds = thresholds
        self._problems = context.samples(prompts)
        self._verdicts = context.samples(verdicts) if verdicts else None
        self.questions = Questions.of(asking, context)
        self.order = Order(
            self._rows,
            self._problems.rows or 0,
            self.questions,
            tuple(self._tier(number, tier) for number, tier in enumerate(tiers)),
            quota,
            refine,
        )

    def sampling(self, max_failed: float, label: str = "accepted") -> Sampling:
        """All that `sample_problems` needs."""
        for note in self.questions.notes:
            self._context.progress.note(note)
        openings = list(map(self._opening, self._tiers, self.order.tiers))
        return Sampling(self.order, openings, self._thresholds, max_failed, label)

    def bill(self) -> str | None:
        """What a run would buy again under new keys, as a sentence; None if it only adds."""
        with read_journal(self._context.journal) as journal:
            if journal is None:
                return None
            bought = journal.sums_of(self._context.step)
            again = list(self._bought_again(journal)) if bought.completions else []
        if not again:
            return None
        prompt, completion = (sum(column) for column in zip(*again, strict=True))
        price = self._price()
        cost = f", {dollars(price.of(prompt, completion))}" if price else ""
        return (
            f"{len(again):,} of the {bought.completions:,} completions bought for it "
            f"({completion:,} tokens{cost}) would be bought again, because what is asked of the "
            "teacher is no longer the same."
        )

    def forecast(self) -> Forecast:
        """Requests to buy, and their tokens by what this step bought before."""
        with read_journal(self._context.journal) as journal:
            have, missing = self._count(journal)
            bought = journal.sums_of(self._context.step) if journal else Bought(0, 0, 0, 0.0)
        most = max(tier.sampling.max_tokens for tier in self._tiers)
        price = self._price()
        if not bought.completions:
            return Forecast(
                requests=missing,
                have=have,
                tokens_high=missing * most,
                usd_high=price.of(0, missing * most) if price else None,
                basis=f"at most {most:,} tokens each",
            )
        lengths = Spread(bought.completions, bought.completion_tokens, bought.squares)
        low, middle, high = lengths.of_next(missing)
        prompt = missing * bought.prompt_tokens / bought.completions
        usd = [price.of(round(prompt), round(tokens)) if price else None
               for tokens in (low, middle, high)]  # fmt: skip
        return Forecast(
            requests=missing,
            have=have,
            tokens=round(middle),
            tokens_low=round(low),
            tokens_high=round(high),
            usd=usd[1],
            usd_low=usd[0],
            usd_high=usd[2],
            basis=f"{bought.completions:,} completions bought for it before"
            + (", if every problem needs all its samples" if self.order.quota else ""),
        )

    def preview(self) -> Preview | None:
        """The first request as it would be sent; None without problems."""
        for attempts in self.order.attempts():
            for attempt in attempts:
                return preview_of(
                    self._context.step,
                    attempt.request,
                    self.order.tiers[0].teacher,
                    self._folder(),
                    self._asking.chat_template_kwargs,
                )
        return None

    def _folder(self) -> Path | None:
        """Of the first tier's model, there or not (looking fetches nothing); None for a server."""
        teacher = self._tiers[0].teacher
        if isinstance(teacher, EndpointTeacher):
            return None
        try:
            return self._context.path(teacher.model)
        except KeyError:  # a hub model that was not fetched yet
            return Path(teacher.model)

    def _rows(self) -> Iterator[Row]:
        return rows_with_verdicts(self._problems, self._verdicts)

    def _tier(self, number: int, config: TierConfig) -> Tier:
        identity = config.teacher.identity(self._context)
        keys = Keys(
            identity,
            config.sampling,
            self._asking.by_task,
            self._asking.chat_template_kwargs,
            number,
        )
        prefills = isinstance(config.teacher, EndpointTeacher) and config.teacher.prefills_think
        return Tier(identity, keys, config.samples, "<think>\n" if prefills else "")

    def _opening(self, config: TierConfig, tier: Tier) -> Opening:
        return Opening(
            config.teacher,
            self._context,
            tier.keys.samplings,
            self._asking.chat_template_kwargs,
            self._asking.concurrency,
        )

    def _price(self) -> Price | None:
        """Of the first tier: the others are asked only for what it leaves unsolved."""
        return self._tiers[0].teacher.price

    def _bought_again(self, journal: Journal) -> Iterator[tuple[int, int]]:
        """Tokens (prompt, completion) of each completion that is there under another key."""
        for attempts in self.order.attempts():
            for attempt in attempts:
                if not journal.has(attempt.request.key):
                    instead = journal.bought_instead(self._context.step, attempt.request)
                    if instead is not None:
                        yield instead

    def _count(self, journal: Journal | None) -> tuple[int, int]:
        """Requests of the first tier: those in the journal, and the others."""
        have = total = 0
        for attempts in self.order.attempts(tiers=1):
            for attempt in attempts:
                total += 1
                have += journal is not None and journal.has(attempt.request.key)
        return have, total - have
