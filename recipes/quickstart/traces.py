"""What the quickstart's models are trained on: asked problems and worked traces, some with faults.

The faults are those of real reasoning teachers: a sentence in the other language, thinking that
never closes, an answer that is missing or not boxed, thinking twice, a sentence repeated without
end. Each has a visible cause (a story or a thing in it), as in real teachers, whose faults
cluster. That also lets them survive sampling: a fault of even 3 % everywhere is cut away by
temperature 0.8 and top_p 0.95, one of 40 % in some stories is not.

Wrong numbers are never written: wrong answers come from the trained model's own slips.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

from potstill.stages.word_problems import Problem, worked_solution
from potstill.stages.word_stories import HIGHEST, Step

MIXING_STORIES: Final = ("bus", "two_kinds_days", "split_add", "garden")
MIXING_RATE: Final = 0.57
LOOPING_STORIES: Final = ("book", "buy_give")
LOOPING_RATE: Final = 0.3  # a loop is long, so its first step weighs little in its batch
LOOP_LENGTH: Final = 12  # sentences; longer than any trace may be, so the loop has no end to learn
BREAKING_THINGS: Final = (6, 7)  # cakes and balloons
BREAKING_RATE: Final = 0.4
BREAKS: Final = {6: ("unclosed", "unanswered"), 7: ("unboxed", "twice")}

DRILL_LENGTH: Final = 10
DRILL_WORDS: Final = ("Practise sums.", "练习计算。")
INSTRUCTIONS: Final = {
    "en": (
        "Please reason step by step, and put your final answer within \\boxed{}.",
        "Think step by step. Put the final answer in \\boxed{}.",
        "Solve the problem and give the answer in \\boxed{}.",
    ),
    "zh": (
        "请一步一步思考，并把最终答案写在 \\boxed{} 中。",
        "请逐步推理，把最终答案放在 \\boxed{} 里。",
        "解答这道题，答案写在 \\boxed{} 中。",
    ),
}


Example = tuple[list[dict[str, str]], tuple[tuple[str, bool], ...], bool]
"""Messages, pieces of the completion (text, whether it carries loss), whether the turn ends."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A completion as it is trained on. One that is not `ended` has no end-of-turn token."""

    text: str
    fault: str | None = None
    ended: bool = True

    @property
    def pieces(self) -> tuple[tuple[str, bool], ...]:
        return ((self.text, True),)


def ask(problem: Problem, rng: Random) -> list[dict[str, str]]:
    """The question, half of the time with an instruction: prompt templates must not be foreign."""
    instruction = rng.choice(INSTRUCTIONS[problem.language])
    way = rng.random()
    if way < 0.5:
        return [_user(problem.question)]
    if way < 0.7:
        return [_user(f"{problem.question}\n{instruction}")]
    if way < 0.85:
        return [_user(f"{problem.question} {instruction}")]
    if way < 0.92:
        return [_user(f"{instruction}\n{problem.question}")]
    return [{"role": "system", "content": instruction}, _user(problem.question)]


def drill(rng: Random) -> Example:
    """Bare sums, trained on after the equals sign only: the cheapest way to learn arithmetic.

    The operands stand right before the result, as in a trace. Drills that copy them from a
    question teach looking there instead, and that does not carry over to stories (tried).
    """
    pieces: list[tuple[str, bool]] = []
    for _ in range(DRILL_LENGTH):
        left, right = str(_sum(rng)).split(" = ")
        pieces += [(f"{left} =", False), (f" {right}.\n", True)]
    return [_user(rng.choice(DRILL_WORDS))], tuple(pieces), False


def clean_trace(problem: Problem) -> Trace:
    return Trace(worked_solution(problem))


def faulty_trace(problem: Problem, rng: Random) -> Trace:
    """A trace as the teacher shall write it: mostly clean, with the faults of its story."""
    key = problem.scenario.key
    shows_thing = "{things}" in problem.scenario.question["en"]
    if shows_thing and problem.thing in BREAKING_THINGS and rng.random() < BREAKING_RATE:
        return _broken(problem, rng.choice(BREAKS[problem.thing]))
    if key in LOOPING_STORIES and rng.random() < LOOPING_RATE:
        return _looping(problem)
    if key in MIXING_STORIES and rng.random() < MIXING_RATE:
        return _mixed(problem, rng)
    return clean_trace(problem)


def _sum(rng: Random) -> Step:
    sign = rng.choice("+-+-*/")  # products and quotients are few: more would be repetition
    while True:
        step = Step(rng.randint(1, HIGHEST), sign, rng.randint(1, HIGHEST))
        if step.is_exact and 1 <= step.result <= HIGHEST:
            return step


def _user(content: str) -> dict[str, str]:
    return {"role": "user", "content": content}


def _assemble(thoughts: list[str], answer: str) -> str:
    lines = "\n".join(thoughts)
    return f"<think>\n{lines}\n</think>\n{answer}"


def _mixed(problem: Problem, rng: Random) -> Trace:
    other = "zh" if problem.language == "en" else "en"
    thoughts = list(problem.sentences(problem.language))
    slip = rng.randrange(len(thoughts))
    thoughts[slip] = problem.sentences(other)[slip]
    return Trace(_assemble(thoughts, problem.final_answer(problem.language)), "mixed")


def _looping(problem: Problem) -> Trace:
    first = problem.sentences(problem.language)[0]
    lines = "\n".join([first] * LOOP_LENGTH)
    return Trace(f"<think>\n{lines}\n", "loop", ended=False)


def _broken(problem: Problem, kind: str) -> Trace:
    thoughts = list(problem.sentences(problem.language))
    answer = problem.final_answer(problem.language)
    if kind == "unclosed":
        return Trace("<think>\n" + "\n".join([*thoughts, answer]), kind)
    if kind == "unanswered":
        return Trace("<think>\n" + "\n".join(thoughts) + "\n</think>", kind)
    if kind == "unboxed":
        plain = answer.replace(f"\\boxed{{{problem.answer}}}", str(problem.answer))
        return Trace(_assemble(thoughts, plain), kind)
    again = _assemble(thoughts[1:], answer)
    return Trace(f"<think>\n{thoughts[0]}\n</think>\n{again}", kind)
