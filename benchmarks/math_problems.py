"""Rows for the math benchmark: problems with keys of 18 kinds, and answers as models write them.

A kind gives, for random numbers, a key, several spellings that are right, and wrong answers that
are near misses. Each of the 8 samples of a problem is right with a chance of 0.6, in a spelling
drawn anew, so repetition among right answers is what few spellings make of it; wrong answers of
a problem are all different. Thoughts are 8,000 characters of worked algebra, a third each with `$`,
with `\\( \\)` and without delimiters. Everything follows from the seed.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from potstill.pipeline.sample import Message, Sample, new_sample, with_ids

SAMPLES, CHARACTERS, RIGHT = 8, 8000, 0.6
Made = tuple[str, list[str], list[str]]
"""Key, right spellings, wrong answers."""


def _integer(rng: random.Random) -> Made:
    n = rng.randint(1000, 99_999)
    return str(n), [str(n), f"{n:,}", f"{n}.", f"{n // 1000}{{,}}{n % 1000:03}"], _near(n)


def _near(n: int) -> list[str]:
    return [str(n + step) for step in (1, -1, 10, -10, 2, -2, 100, -100)]


def _decimal(rng: random.Random) -> Made:
    n = rng.randint(101, 9999)
    text = f"{n / 100:.2f}"
    return (
        text,
        [text, f"{text}0", rf"\frac{{{n}}}{{100}}"],
        [f"{(n + i) / 100:.2f}" for i in range(1, 9)],
    )


def _fraction(rng: random.Random) -> Made:
    value = Fraction(rng.randint(1, 60), rng.choice([7, 9, 11, 13]))
    a, b = value.numerator, value.denominator
    right = [rf"\frac{{{a}}}{{{b}}}", f"{a}/{b}", rf"\dfrac{{{2 * a}}}{{{2 * b}}}"]
    return right[0], right, [rf"\frac{{{a + i}}}{{{b}}}" for i in range(1, 9)]


def _radical(rng: random.Random) -> Made:
    a, b = rng.randint(2, 9), rng.choice([2, 3, 5, 7])
    right = [rf"{a}\sqrt{{{b}}}", rf"\sqrt{{{a * a * b}}}", rf"{a}\sqrt{b}"]
    return right[0], right, [rf"{a + i}\sqrt{{{b}}}" for i in range(1, 9)]


def _polynomial(rng: random.Random) -> Made:
    a, b = rng.randint(1, 9), rng.randint(10, 19)
    right = [f"x^2+{a + b}x+{a * b}", f"(x+{a})(x+{b})", f"{a * b} + {a + b}x + x^2"]
    return right[0], right, [f"x^2+{a + b + i}x+{a * b}" for i in range(1, 9)]


def _equation(rng: random.Random) -> Made:
    a, b = rng.randint(2, 9), rng.randint(1, 9)
    right = [f"y={a}x+{b}", f"{a}x-y+{b}=0", f"y = {b} + {a}x"]
    return right[0], right, [f"y={a}x-{i}" for i in range(1, 9)]


def _interval(rng: random.Random) -> Made:
    a = rng.randint(-20, 20)
    right = [rf"(-\infty, {a})", f"x < {a}", rf"\left(-\infty, {a}\right)"]
    return right[0], right, [rf"(-\infty, {a}]", *(f"x < {a + i}" for i in range(1, 8))]


def _range(rng: random.Random) -> Made:
    a, b = rng.randint(-20, 0), rng.randint(1, 20)
    right = [f"[{a}, {b})", rf"{a} \le x < {b}", rf"x \in [{a}, {b})"]
    return right[0], right, [f"({a}, {b})", *(f"[{a}, {b + i})" for i in range(1, 8))]


def _set(rng: random.Random) -> Made:
    a, b, c = sorted(rng.sample(range(1, 90), 3))
    right = [rf"\{{{a}, {b}, {c}\}}", rf"\{{{c}, {a}, {b}\}}", f"{a}, {b}, {c}"]
    return right[0], right, [rf"\{{{a}, {b}, {c + i}\}}" for i in range(1, 9)]


def _solutions(rng: random.Random) -> Made:
    a, b = sorted(rng.sample(range(-40, 40), 2))
    right = [f"x = {a}, x = {b}", rf"x={b} \text{{ or }} x={a}", f"{a}, {b}"]
    return right[0], right, [f"x = {a}, x = {b + i}" for i in range(1, 9)]


def _tuple(rng: random.Random) -> Made:
    a, b = rng.randint(-30, 30), rng.randint(1, 9)
    right = [
        rf"({a}, \frac{{{b}}}{{2}})",
        f"({a}, {b / 2})",
        rf"\left({a}, \tfrac{{{b}}}{{2}}\right)",
    ]
    return right[0], right, [rf"({a + i}, \frac{{{b}}}{{2}})" for i in range(1, 9)]


def _matrix(rng: random.Random) -> Made:
    a, b, c, d = (rng.randint(-9, 9) for _ in range(4))
    body = rf"{a} & {b} \\ {c} & {d}"
    right = [rf"\begin{{{kind}}} {body} \end{{{kind}}}" for kind in ("pmatrix", "bmatrix")]
    wrong = [rf"\begin{{pmatrix}} {a} & {b} \\ {c} & {d + i} \end{{pmatrix}}" for i in range(1, 9)]
    return right[0], right, wrong


def _words(rng: random.Random) -> Made:
    names = [
        "Evelyn",
        "Monday",
        "east",
        "odd",
        "ellipse",
        "circle",
        "parabola",
        "isosceles",
        "north",
    ]
    rng.shuffle(names)
    return rf"\text{{{names[0]}}}", [rf"\text{{{names[0]}}}", names[0]], names[1:]


def _choice(rng: random.Random) -> Made:
    letters = list("ABCDEFGHI")
    rng.shuffle(letters)
    return letters[0], [letters[0], f"({letters[0]})", rf"\text{{{letters[0]}}}"], letters[1:]


def _percent(rng: random.Random) -> Made:
    n = rng.randint(2, 90)
    return rf"{n}\%", [rf"{n}\%", f"{n}%", f"{n} percent"], [rf"{n + i}\%" for i in range(1, 9)]


def _unit(rng: random.Random) -> Made:
    n = rng.randint(2, 400)
    right = [rf"{n} \text{{ cm}}^2", str(n), rf"{n}\text{{ square centimeters}}"]
    return right[0], right, [rf"{n + i} \text{{ cm}}^2" for i in range(1, 9)]


def _money(rng: random.Random) -> Made:
    n = rng.randint(2, 400)
    return str(n), [rf"\${n}", rf"\${n}.00", f"{n} dollars"], [rf"\${n + i}" for i in range(1, 9)]


def _trigonometric(rng: random.Random) -> Made:
    a, b = rng.randint(2, 9), rng.randint(2, 9)
    right = [rf"{a}\pi+{b}", rf"{b} + {a}\pi", rf"{a}\left(\pi+\frac{{{b}}}{{{a}}}\right)"]
    return right[0], right, [rf"{a}\pi+{b + i}" for i in range(1, 9)]


KINDS: list[Callable[[random.Random], Made]] = [
    *(_integer, _decimal, _fraction, _radical, _polynomial, _equation, _interval, _range, _set),
    *(_solutions, _tuple, _matrix, _words, _choice, _percent, _unit, _money, _trigonometric),
]


def rows(problems: int = 120, seed: int = 11) -> list[Sample]:
    """All samples of all problems, those of one problem together."""
    rng = random.Random(seed)
    made = []
    for number in range(problems):
        key, right, wrong = KINDS[number % len(KINDS)](rng)
        missed = rng.sample(wrong, len(wrong))
        for _ in range(SAMPLES):
            answer = rng.choice(right) if rng.random() < RIGHT else missed.pop()
            text = f"<think>{_thought(rng, number % 3)}</think>\n\n{_conclusion(rng, answer)}"
            question = (Message("user", f"Problem {number}"),)
            made.append(new_sample(question, completion=text, answer=key, task="math"))
    return list(with_ids(made))


def _conclusion(rng: random.Random, answer: str) -> str:
    return rng.choice(
        [
            rf"Adding everything up, the answer is $\boxed{{{answer}}}$.",
            rf"Therefore the final answer is \(\boxed{{{answer}}}\).",
            f"So we are done.\n\n$$\n\\boxed{{{answer}}}\n$$",
            rf"**Answer:** $\boxed{{{answer}}}$",
        ]
    )


_SENTENCES = [
    "First we write down what is given and call the unknown {}.",
    "Substituting into the second equation gives {}, so one term cancels.",
    "Wait, that is not quite right, because {} would be negative.",
    "Let me check this with a small case: {} works.",
    "Comparing the coefficients on both sides we get {}.",
    "Hmm, the discriminant is {}, which is positive.",
    "Hence {} and the rest follows by symmetry.",
]
_FORMULAS = [
    "x^2 + {}x = {}",
    r"\frac{{{}}}{{x}} + {}",
    r"\sqrt{{{}}} - {}",
    "{}(a + b) = {}",
    r"{} \cdot 10^{{{}}}",
]
_DELIMITERS = [("$", "$"), (r"\(", r"\)"), ("", "")]


def _thought(rng: random.Random, style: int) -> str:
    before, after = _DELIMITERS[style]
    parts: list[str] = []
    length = 0
    while length < CHARACTERS:
        formula = rng.choice(_FORMULAS).format(rng.randint(2, 99), rng.randint(2, 99))
        parts.append(rng.choice(_SENTENCES).format(f"{before}{formula}{after}"))
        length += len(parts[-1]) + 1
    return " ".join(parts)[:CHARACTERS]
