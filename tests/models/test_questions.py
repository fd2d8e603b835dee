"""The messages that a row becomes, and rows with their verdicts beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest
from toys import InProcess
from workbench import Workbench, verdict_table

from potstill.models.prompts import Asking
from potstill.models.questions import Questions, rows_with_verdicts
from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.sample import Message, Sample, new_sample
from potstill.pipeline.shards import ROWS_PER_SHARD
from potstill.pipeline.verdict import Verdict
from potstill.pipeline.verdicts import samples_digest, write_verdicts

QUESTION = ("user", "3 + 4?")
BOXED = "Please reason step by step, and put your final answer within \\boxed{}."
BOXED_ZH = "请一步一步思考，并把最终答案写在 \\boxed{} 中。"


def problem(*turns: tuple[str, str], **fields: Any) -> Sample:
    return new_sample(tuple(Message(role, text) for role, text in turns), **fields)


def asked(given: dict[str, Any], sample: Sample, **how: Any) -> list[tuple[str, str]]:
    questions = Questions(Asking.model_validate(given))
    return [(turn.role, turn.content) for turn in questions.messages(sample, **how)]


@pytest.mark.parametrize(
    ("given", "turns", "language", "expected"),
    [
        ({}, [QUESTION], None, [QUESTION]),
        ({}, [("system", "S"), QUESTION], None, [("system", "S"), QUESTION]),
        ({"prompt": "plain"}, [QUESTION], None, [QUESTION]),
        ({"prompt": "solve"}, [QUESTION], None, [("user", f"3 + 4?\n{BOXED}")]),
        ({"prompt": "solve"}, [QUESTION], "en", [("user", f"3 + 4?\n{BOXED}")]),
        ({"prompt": "solve"}, [QUESTION], "zh", [("user", f"3 + 4?\n{BOXED_ZH}")]),
        (
            {"prompt": "Q: {{ question }} {not_a_field} A:"},
            [QUESTION],
            None,
            [("user", "Q: 3 + 4? {not_a_field} A:")],
        ),
        ({"system": "T"}, [("system", "S"), QUESTION], None, [("system", "T"), QUESTION]),
        (
            {"prompt": "<{{ question }}>"},
            [("user", "first"), ("assistant", "then"), QUESTION],
            None,
            [("user", "first"), ("assistant", "then"), ("user", "<3 + 4?>")],
        ),
        (
            {"prompt": "<{{ question }}>", "few_shot": [{"question": "1?", "answer": "1"}]},
            [("system", "S"), QUESTION],
            None,
            [("system", "S"), ("user", "<1?>"), ("assistant", "1"), ("user", "<3 + 4?>")],
        ),
        (
            {"prompt": "solve", "few_shot": [{"question": "1?", "answer": "1"}]},
            [QUESTION],
            "zh",
            [("user", f"1?\n{BOXED_ZH}"), ("assistant", "1"), ("user", f"3 + 4?\n{BOXED_ZH}")],
        ),
        (
            {"system": "T", "few_shot": [{"question": "1?", "answer": "1"}]},
            [("system", "S"), QUESTION],
            None,
            [("system", "T"), ("user", "1?"), ("assistant", "1"), QUESTION],
        ),
    ],
)
def test_messages(
    given: dict[str, Any],
    turns: list[tuple[str, str]],
    language: str | None,
    expected: list[tuple[str, str]],
) -> None:
    assert asked(given, problem(*turns, language=language)) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"prompt": "{{ question }}={{ completion }}"}, [("user", "3 + 4?=7")]),
        ({"prompt": "{{ completion }}", "system": "T"}, [("system", "T"), ("user", "7")]),
        (
            {
                "prompt": "{{ question }}={{ completion }}",
                "few_shot": [{"question": "1?", "completion": "i", "answer": "one"}],
            },
            [("user", "1?=i"), ("assistant", "one"), ("user", "3 + 4?=7")],
        ),
        ({}, [("user", "3 + 4?")]),
    ],
)
def test_a_rewritten_completion_brings_no_turns_of_its_own(
    given: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    row = problem(("system", "S"), ("user", "a"), ("assistant", "b"), QUESTION, completion="7")
    assert asked(given, row, rewrite=True) == expected


def test_a_template_needs_a_user_turn() -> None:
    silent = problem(("system", "only this"))
    assert asked({}, silent) == [("system", "only this")]
    with pytest.raises(RequestError, match="no user turn"):
        asked({"prompt": "solve"}, silent)


def test_what_is_known_of_a_row_can_be_asked_about() -> None:
    given = {"prompt": "{{ question }} {{ verdicts.math.reason }}"}
    row = problem(QUESTION)
    verdicts = {"math": Verdict(0.0, "wrong")}
    assert asked(given, row, verdicts=verdicts) == [("user", "3 + 4? wrong")]
    with pytest.raises(RequestError, match="the row has no verdicts"):
        asked(given, row, verdicts={})
    with pytest.raises(RequestError, match="there is no 'math'; Known: code"):
        asked(given, row, verdicts={"code": verdicts["math"]})


@pytest.mark.parametrize("asking", [{}, {"prompt": "plain", "samples": 4}])
def test_the_plain_question_is_the_row_s_own_prompt(asking: dict[str, Any]) -> None:
    """Nothing is made anew for a row: a million of them cost a second."""
    row = problem(QUESTION)
    assert Questions(Asking.model_validate(asking)).messages(row) is row.prompt


def test_examples_are_drawn_from_the_pool(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    pool = bench.samples(
        "examples", [problem(("user", f"{n}?"), completion=f"<think>\n{n}\n</think>\nis {n}")
                     for n in range(5)]
    )  # fmt: skip
    asking = Asking.model_validate({"few_shot": {"from": "examples", "k": 2}, "prompt": "solve"})
    questions = Questions.of(asking, bench.context("asked", inputs={"examples": pool}))
    turns = questions.messages(problem(("system", "S"), QUESTION, language="zh"))
    assert [turn.role for turn in turns] == ["system", *["user", "assistant"] * 2, "user"]
    for user, assistant in (turns[1:3], turns[3:5]):
        number = user.content[0]
        assert user.content == f"{number}?\n{BOXED_ZH}"
        assert assistant.content == f"<think>\n{number}\n</think>\nis {number}"
    assert questions.notes == ()


def test_a_pool_that_is_too_small_is_told_before_anything_is_asked() -> None:
    asking = Asking.model_validate({"few_shot": {"from": "examples"}})
    with pytest.raises(RequestError, match="draws 3 examples from step 'examples', but only 0"):
        Questions(asking, [problem(QUESTION)])


class Named(InProcess):
    """Stands for the filter whose verdicts are given."""

    kind: ClassVar[str] = "named"
    reasons: ClassVar[frozenset[str]] = frozenset({"ok"})

    def judge_one(self, sample: Sample) -> Verdict:
        raise NotImplementedError


def judged(bench: Workbench, samples: Artifact, *names: str, shift: int = 0) -> Artifact:
    """A step's artifact whose verdicts say which sample they are about."""
    made = bench.samples("verdicts", [])
    rows = list(samples.samples())
    rows = rows[shift:] + rows[:shift]
    for name in names:
        pairs = ((row.id, Verdict(1.0, "ok", {"of": row.question, "by": name})) for row in rows)
        said, digest = [verdict_table(pairs)], samples_digest(samples.path)
        write_verdicts(made.path, name, Named().identity(), digest, said)
    return made


def test_rows_come_with_their_verdicts_over_all_shards(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    count = ROWS_PER_SHARD + 3
    samples = bench.samples("rows", (problem(("user", f"{n}")) for n in range(count)))
    found = 0
    for row, verdicts in rows_with_verdicts(samples, judged(bench, samples, "math", "format")):
        assert {name: verdict.evidence for name, verdict in verdicts.items()} == {
            name: {"of": row.question, "by": name} for name in ("format", "math")
        }
        found += 1
    assert found == count
    assert all(verdicts == {} for _, verdicts in rows_with_verdicts(samples, None))


def test_verdicts_on_other_samples_are_refused(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    samples = bench.samples("rows", [problem(("user", "a")), problem(("user", "b"))])
    others = bench.samples("others", [problem(("user", "c"))])
    with pytest.raises(RequestError, match="'verdicts' judged other samples with 'math'"):
        rows_with_verdicts(others, judged(bench, samples, "math"))
    with pytest.raises(RequestError, match="holds no verdicts"):
        rows_with_verdicts(samples, others)


def test_verdicts_in_another_order_are_damage(tmp_path: Path) -> None:
    bench = Workbench(tmp_path)
    samples = bench.samples("rows", [problem(("user", "a")), problem(("user", "b"))])
    with pytest.raises(StepFailed, match="does not hold the verdict of sample"):
        list(rows_with_verdicts(samples, judged(bench, samples, "math", shift=1)))
