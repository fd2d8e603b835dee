"""The stories of `word_problems`: twelve small plans of exact arithmetic in two languages.

A scenario is data: which numbers may stand in it, which steps lead to the answer, the question,
and one sentence for each step. It computes with the plan and renders nothing;
`word_problems.Problem` adds names, things and a language. Editing a plan, a range or a key
changes which problems are held out.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

HIGHEST: Final = 30  # of any result: within reach of a model of a million parameters

_OPERATIONS: Final[dict[str, Callable[[int, int], int]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.floordiv,  # only ever exact: see Step.is_exact
}


@dataclass(frozen=True, slots=True)
class Step:
    """One operation on two integers."""

    left: int
    sign: str
    right: int

    @property
    def result(self) -> int:
        return _OPERATIONS[self.sign](self.left, self.right)

    @property
    def is_exact(self) -> bool:
        return self.sign != "/" or (self.right != 0 and self.left % self.right == 0)

    def __str__(self) -> str:
        return f"{self.left} {self.sign} {self.right} = {self.result}"


@dataclass(frozen=True, slots=True)
class Scenario:
    """A plan such as ("a*b", "c-r"), where r is the result so far, and how it is told."""

    key: str
    plan: tuple[str, ...]
    ranges: tuple[tuple[int, int], ...]  # of a, b, c and d
    question: dict[str, str]
    solution: dict[str, tuple[str, ...]]  # one sentence for each step; the sum goes in {step}

    def steps(self, numbers: Sequence[int]) -> tuple[Step, ...]:
        """The plan with its numbers, up to and with the first step that is not exact."""
        values = dict(zip("abcd", numbers, strict=False))
        steps: list[Step] = []
        for part in self.plan:
            steps.append(Step(values[part[0]], part[1], values[part[2]]))
            if not steps[-1].is_exact:
                break  # the caller redraws: nothing may be computed from a rounded result
            values["r"] = steps[-1].result
        return tuple(steps)

    def draw(self, rng: Random) -> tuple[int, ...]:
        """Numbers for which every step is exact and every result is between 1 and HIGHEST."""
        while True:
            numbers = tuple(rng.randint(low, high) for low, high in self.ranges)
            if all(s.is_exact and 1 <= s.result <= HIGHEST for s in self.steps(numbers)):
                return numbers


SCENARIOS: Final = (
    Scenario(
        "buy_give",
        ("a+b", "r-c"),
        ((4, 25), (3, 15), (2, 15)),
        {
            "en": "{name} has {a} {things}, buys {b} more and gives {c} to {other}. "
            "How many {things} does {name} have now?",
            "zh": "{name}有{a}个{things}，又买了{b}个，送给{other}{c}个。"
            "{name}现在有几个{things}？",
        },
        {
            "en": ("After buying: {step}.", "After giving: {step}."),
            "zh": ("买了以后：{step}。", "送了以后：{step}。"),
        },
    ),
    Scenario(
        "boxes_left_over",
        ("a*b", "r+c"),
        ((2, 9), (2, 9), (1, 15)),
        {
            "en": "{name} fills {a} boxes with {b} {things} each and has {c} {things} left over. "
            "How many {things} are there in all?",
            "zh": "{name}装了{a}盒{things}，每盒{b}个，还剩下{c}个。一共有几个{things}？",
        },
        {
            "en": ("In the boxes: {step}.", "With the rest: {step}."),
            "zh": ("盒子里有：{step}。", "加上剩下的：{step}。"),
        },
    ),
    Scenario(
        "find_share",
        ("a+b", "r/c"),
        ((3, 25), (2, 15), (2, 9)),
        {
            "en": "{name} has {a} {things}, finds {b} more and shares them all equally among {c} "
            "friends. How many {things} does each friend get?",
            "zh": "{name}有{a}个{things}，又找到{b}个，全部平均分给{c}个朋友。"
            "每个朋友得到几个{things}？",
        },
        {
            "en": ("All together: {step}.", "For each friend: {step}."),
            "zh": ("合起来：{step}。", "每个朋友：{step}。"),
        },
    ),
    Scenario(
        "bags_taken",
        ("a*b", "r-c"),
        ((2, 9), (2, 9), (1, 15)),
        {
            "en": "There are {a} bags with {b} {things} each. {name} takes {c} {things} away. "
            "How many {things} remain?",
            "zh": "有{a}袋{things}，每袋{b}个。{name}拿走了{c}个。还剩几个{things}？",
        },
        {
            "en": ("In the bags: {step}.", "Without those taken: {step}."),
            "zh": ("袋子里有：{step}。", "拿走以后：{step}。"),
        },
    ),
    Scenario(
        "change",
        ("a*b", "c-r"),
        ((2, 9), (2, 9), (8, 30)),
        {
            "en": "{name} buys {a} {things} for {b} coins each and pays with {c} coins. "
            "How many coins does {name} get back?",
            "zh": "{name}买了{a}个{things}，每个{b}元，付了{c}元。应该找回几元？",
        },
        {
            "en": ("The price: {step}.", "The change: {step}."),
            "zh": ("总价：{step}。", "找回：{step}。"),
        },
    ),
    Scenario(
        "times_as_many",
        ("a*b", "r+a"),
        ((2, 10), (2, 9)),
        {
            "en": "{name} has {a} {things}. {other} has {b} times as many. "
            "How many {things} do {name} and {other} have together?",
            "zh": "{name}有{a}个{things}，{other}的{things}是{name}的{b}倍。"
            "两人一共有几个{things}？",
        },
        {
            "en": ("{other} has: {step}.", "Together: {step}."),
            "zh": ("{other}有：{step}。", "两人一共：{step}。"),
        },
    ),
    Scenario(
        "fewer_together",
        ("a-b", "r+a"),
        ((4, 25), (1, 15)),
        {
            "en": "{name} has {a} {things}. {other} has {b} fewer. "
            "How many {things} do they have together?",
            "zh": "{name}有{a}个{things}，{other}比{name}少{b}个。两人一共有几个{things}？",
        },
        {
            "en": ("{other} has: {step}.", "Together: {step}."),
            "zh": ("{other}有：{step}。", "两人一共：{step}。"),
        },
    ),
    Scenario(
        "two_kinds_days",
        ("a+b", "r*c"),
        ((1, 12), (1, 12), (2, 9)),
        {
            "en": "Every day {name} makes {a} big and {b} small {things}. "
            "How many {things} does {name} make in {c} days?",
            "zh": "{name}每天做{a}个大{things}和{b}个小{things}。{c}天一共做几个{things}？",
        },
        {
            "en": ("In one day: {step}.", "In all days: {step}."),
            "zh": ("一天做：{step}。", "这些天一共：{step}。"),
        },
    ),
    Scenario(
        "split_add",
        ("a/b", "r+c"),
        ((4, 30), (2, 9), (1, 15)),
        {
            "en": "{name} puts {a} {things} into {b} bowls equally, then adds {c} {things} to the "
            "red bowl. How many {things} are in the red bowl?",
            "zh": "{name}把{a}个{things}平均放进{b}个碗，再往红碗里加{c}个。红碗里有几个{things}？",
        },
        {
            "en": ("In each bowl: {step}.", "In the red bowl: {step}."),
            "zh": ("每个碗里：{step}。", "红碗里：{step}。"),
        },
    ),
    Scenario(
        "bus",
        ("a-b", "r+c", "r-d"),
        ((8, 30), (1, 15), (1, 15), (1, 15)),
        {
            "en": "{a} people are on a bus. {b} get off, {c} get on, then {d} get off. "
            "How many people are on the bus now?",
            "zh": "车上有{a}人，先下去{b}人，又上来{c}人，再下去{d}人。现在车上有几人？",
        },
        {
            "en": ("First stop: {step}.", "Then: {step}.", "Last stop: {step}."),
            "zh": ("第一站：{step}。", "然后：{step}。", "最后一站：{step}。"),
        },
    ),
    Scenario(
        "garden",
        ("a*b", "r+c", "r-d"),
        ((2, 9), (2, 9), (1, 15), (1, 15)),
        {
            "en": "A garden has {a} rows of {b} trees. {name} plants {c} more and {d} trees fall. "
            "How many trees stand in the garden?",
            "zh": "花园里有{a}行树，每行{b}棵。{name}又种了{c}棵，倒了{d}棵。花园里还有几棵树？",
        },
        {
            "en": ("In the rows: {step}.", "After planting: {step}.", "Still standing: {step}."),
            "zh": ("原来有：{step}。", "种了以后：{step}。", "还有：{step}。"),
        },
    ),
    Scenario(
        "book",
        ("a*b", "c-r", "r/d"),
        ((2, 9), (2, 9), (10, 30), (2, 9)),
        {
            "en": "A book has {c} pages. {name} reads {a} pages a day for {b} days, then {d} pages "
            "a day. How many days does {name} need for the rest?",
            "zh": "一本书有{c}页，{name}先看了{b}天，每天{a}页，以后每天看{d}页。"
            "剩下的还要看几天？",
        },
        {
            "en": ("Read so far: {step}.", "Pages left: {step}.", "Days needed: {step}."),
            "zh": ("已经看了：{step}。", "还剩：{step}。", "还要：{step}。"),
        },
    ),
)
