"""Arithmetic word problems in English and Chinese: the data source that needs no download.

A problem is a scenario (a plan of two or three exact steps), the numbers in it, and words: names,
things, a language. Steps are structured and all text is rendered from them, so an answer cannot
disagree with its question. Train and held-out problems are disjoint by construction: a hash of
scenario and numbers alone decides the split, whatever the seed, the language or the names; a
story in English is never held out while its Chinese twin is trained on.

It is no benchmark: twelve stories with results up to 30, chosen so that a model of a million
parameters learns them. `worked_solution` exists to make the quickstart's teacher; the pipeline
never sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from .word_stories import SCENARIOS, Scenario, Step

LANGUAGES: Final = ("en", "zh")
SPLITS: Final = ("train", "heldout")

_HELDOUT_BYTES: Final = 32  # of 256: one story in eight is held out
_DRAWS_FOR_A_NEW_ONE: Final = 50  # then a repeated story is accepted: there are finitely many
_NAMES: Final = {
    "en": ("Tom", "Anna", "Ben", "Mia", "Sam", "Lily", "Jack", "Zoe"),
    "zh": ("小明", "小红", "小刚", "小丽", "小华", "小芳", "小军", "小玲"),
}
_THINGS: Final = {
    "en": ("apples", "balls", "shells", "eggs", "oranges", "badges", "cakes", "balloons"),
    "zh": ("苹果", "球", "贝壳", "鸡蛋", "橘子", "徽章", "蛋糕", "气球"),
}
_FINAL: Final = {"en": "The answer is \\boxed{{{answer}}}.", "zh": "答案是 \\boxed{{{answer}}}。"}


@dataclass(frozen=True, slots=True)
class Problem:
    """A scenario with its numbers, told in `language` with these names and things (by index)."""

    scenario: Scenario
    numbers: tuple[int, ...]
    language: str
    name: int
    other: int
    thing: int

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.scenario.steps(self.numbers)

    @property
    def answer(self) -> int:
        return self.steps[-1].result

    @property
    def content(self) -> str:
        """What makes two problems the same one, in any language and with any names."""
        return f"{self.scenario.key}:{','.join(map(str, self.numbers))}"

    @property
    def split(self) -> str:
        first_byte = hashlib.sha256(self.content.encode()).digest()[0]
        return "heldout" if first_byte < _HELDOUT_BYTES else "train"

    @property
    def question(self) -> str:
        return self._tell(self.scenario.question[self.language], self.language)

    def sentences(self, language: str) -> tuple[str, ...]:
        """The worked steps, a sentence each, in any language: a slip needs the other one."""
        told = zip(self.scenario.solution[language], self.steps, strict=True)
        return tuple(self._tell(template, language, step=str(step)) for template, step in told)

    def final_answer(self, language: str) -> str:
        return _FINAL[language].format(answer=self.answer)

    def _tell(self, template: str, language: str, **more: str) -> str:
        names = _NAMES[language]
        numbers = dict(zip("abcd", map(str, self.numbers), strict=False))
        things = _THINGS[language][self.thing]
        words = {"name": names[self.name], "other": names[self.other], "things": things}
        return template.format(**numbers, **words, **more)


def word_problems(
    rows: int, seed: int, languages: Sequence[str] = LANGUAGES, split: str = "train"
) -> Iterator[dict[str, object]]:
    """`rows` problems as plain rows; asking for more rows of one seed only appends."""
    return (_row(problem) for problem in problems(rows, seed, languages, split))


def problems(
    rows: int, seed: int, languages: Sequence[str] = LANGUAGES, split: str = "train"
) -> Iterator[Problem]:
    """The same problems in their structured form; languages take turns."""
    _check(rows, languages, split)
    return _draw_all(rows, seed, tuple(languages), split)


def worked_solution(problem: Problem) -> str:
    """What a faultless teacher writes: thoughts in one language, then the boxed answer."""
    thoughts = "\n".join(problem.sentences(problem.language))
    return f"<think>\n{thoughts}\n</think>\n{problem.final_answer(problem.language)}"


def _row(problem: Problem) -> dict[str, object]:
    return {
        "prompt": problem.question,
        "answer": str(problem.answer),
        "task": "math",
        "language": problem.language,
        "source": "word_problems",
    }


def _check(rows: int, languages: Sequence[str], split: str) -> None:
    # Checked before the first row is asked for: a generator would only complain later.
    if rows < 0:
        raise ValueError(f"word_problems: rows is {rows}; expected 0 or more")
    if isinstance(languages, str) or not languages or not set(languages) <= set(LANGUAGES):
        expected = " and/or ".join(LANGUAGES)
        raise ValueError(
            f"word_problems: languages is {languages!r}; expected a list of {expected}"
        )
    if split not in SPLITS:
        raise ValueError(f"word_problems: split is {split!r}; expected {' or '.join(SPLITS)}")


def _draw_all(rows: int, seed: int, languages: tuple[str, ...], split: str) -> Iterator[Problem]:
    rng = Random(seed)
    seen: set[str] = set()
    for row in range(rows):
        language = languages[row % len(languages)]
        for _ in range(_DRAWS_FOR_A_NEW_ONE):
            problem = draw_problem(rng, language, split)
            if problem.content not in seen:
                break
        seen.add(problem.content)
        yield problem


def draw_problem(rng: Random, language: str, split: str) -> Problem:
    """One more problem; callers that draw without end check their arguments themselves."""
    while True:
        scenario = rng.choice(SCENARIOS)
        name, other = rng.sample(range(len(_NAMES[language])), 2)
        thing = rng.randrange(len(_THINGS[language]))
        problem = Problem(scenario, scenario.draw(rng), language, name, other, thing)
        if problem.split == split:
            return problem
