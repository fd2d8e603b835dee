"""How a problem is put to a model."""

from typing import Any

import pytest
from pydantic import ValidationError

from potstill.models.prompts import PLAIN, SOLVE, Asking
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Message, Sample, new_sample


def problem(*turns: tuple[str, str], language: str | None = None) -> Sample:
    return new_sample(tuple(Message(role, text) for role, text in turns), language=language)


def asked(given: dict[str, Any], sample: Sample) -> list[tuple[str, str]]:
    return [(m.role, m.content) for m in Asking.model_validate(given).messages(sample)]


QUESTION = ("user", "3 + 4?")
BOXED = "Please reason step by step, and put your final answer within \\boxed{}."


@pytest.mark.parametrize(
    ("given", "turns", "language", "expected"),
    [
        ({}, [QUESTION], None, [QUESTION]),
        ({}, [("system", "S"), QUESTION], None, [("system", "S"), QUESTION]),
        ({"prompt": "plain"}, [QUESTION], None, [QUESTION]),
        ({"prompt": "solve"}, [QUESTION], None, [("user", f"3 + 4?\n{BOXED}")]),
        ({"prompt": "solve"}, [QUESTION], "en", [("user", f"3 + 4?\n{BOXED}")]),
        (
            {"prompt": "solve"},
            [QUESTION],
            "zh",
            [("user", "3 + 4?\n请一步一步思考，并把最终答案写在 \\boxed{} 中。")],
        ),
        (
            {"prompt": "Q: {question} {not_a_field} A:"},
            [QUESTION],
            None,
            [("user", "Q: 3 + 4? {not_a_field} A:")],
        ),
        ({"system": "T"}, [("system", "S"), QUESTION], None, [("system", "T"), QUESTION]),
        (
            {"prompt": "<{question}>"},
            [("user", "first"), ("assistant", "then"), QUESTION],
            None,
            [("user", "first"), ("assistant", "then"), ("user", "<3 + 4?>")],
        ),
        (
            {"prompt": "<{question}>", "few_shot": [{"question": "1?", "answer": "1"}]},
            [("system", "S"), QUESTION],
            None,
            [("system", "S"), ("user", "<1?>"), ("assistant", "1"), ("user", "<3 + 4?>")],
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


def test_a_question_is_never_read_as_a_template() -> None:
    tricky = "what does {question} mean in {0} and \\g<0>?"
    assert asked({"prompt": "<{question}>"}, problem(("user", tricky))) == [("user", f"<{tricky}>")]


def test_the_text_of_a_named_template_is_in_the_config() -> None:
    config = Asking.model_validate({"prompt": "solve"}).model_dump(mode="json")
    assert config["prompt"]["text"] == SOLVE.text
    assert Asking.model_validate(config).prompt == SOLVE
    assert Asking().prompt == PLAIN


def test_the_schema_allows_a_name_and_a_template() -> None:
    schema = Asking.model_json_schema()["properties"]["prompt"]
    assert {"type": "string"} in schema["anyOf"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"prompt": "slove"}, "did you mean 'solve'"),
        ({"prompt": {"text": "no place"}}, "no {question} in the template"),
        ({"prompt": {"text": "{question}", "by_language": {"zh": "x"}}}, "no {question}"),
        ({"samples": 2, "sampling": {"temperature": 0}}, "2 equal samples"),
        ({"samples": 0}, "greater than or equal to 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words.replace("{", r"\{")):
        Asking.model_validate(given)


def test_a_template_needs_a_user_turn() -> None:
    silent = problem(("system", "only this"))
    assert asked({}, silent) == [("system", "only this")]
    with pytest.raises(RequestError, match="no user turn"):
        asked({"prompt": "solve"}, silent)
