"""Each shape is recognised by its columns and becomes the samples that it stands for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from potstill.filters.programs.checks import UnreadableKey
from potstill.filters.programs.keys import read_key
from potstill.pipeline.errors import RequestError
from potstill.pipeline.sample import Sample
from potstill.stages.reading.columns import meaning
from potstill.stages.reading.rows import BadRow
from potstill.stages.reading.shapes import SHAPES

T = "a thought of more than twenty characters"
TURNS = [{"role": "user", "content": "1+1"}, {"role": "assistant", "content": "2"}]
SHARED = [{"from": "human", "value": "1+1"}, {"from": "gpt", "value": "2"}]
GENERATION = {"finish_reason": "stop", "key": "k", "index": 0}

EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "humaneval": (
        {
            "task_id": "HumanEval/0",
            "prompt": "def add(a, b):\n",
            "canonical_solution": "    return a + b\n",
            "test": "def check(candidate):\n    assert candidate(1, 1) == 2\n",
            "entry_point": "add",
        },
        {"task": "code", "completion": None, "question": "def add(a, b):\n"},
    ),
    "mbpp": (
        {
            "task_id": 2,
            "text": "Add two numbers.",
            "code": "def add(a, b):\n    return a + b",
            "test_list": ["assert add(1, 1) == 2", "assert add(1, 2) == 3"],
            "test_setup_code": "",
        },
        {"task": "code", "completion": None, "question": "Add two numbers."},
    ),
    "openr1": (
        {
            "problem": "1+1",
            "solution": "It is 2.",
            "answer": "2",
            "generations": ["<think>t</think>2", "<think>u</think>3"],
            "correctness_math_verify": [True, False],
            "finish_reasons": ["stop", "length"],
            "messages": TURNS,
        },
        {"task": "math", "completion": "<think>t</think>2", "answer": "2"},
    ),
    "openthoughts_metadata": (
        {
            "problem": "1+1",
            "deepseek_reasoning": T,
            "deepseek_solution": "2",
            "ground_truth_solution": "two",
            "domain": "math",
            "test_cases": None,
        },
        {"completion": f"<think>\n{T}\n</think>\n\n2", "task": "general"},
    ),
    "s1k_deepseek": (
        {"question": "1+1", "deepseek_thinking_trajectory": T, "deepseek_attempt": "2"},
        {"completion": f"<think>\n{T}\n</think>\n\n2"},
    ),
    "s1k": (
        {"question": "1+1", "thinking_trajectories": [T], "attempt": "2", "solution": "2"},
        {"completion": f"<think>\n{T}\n</think>\n\n2", "extra": '{"solution":"2"}'},
    ),
    "choices": (
        {"question": "1+1", "choices": ["1", "2"], "answer": 1, "subject": "sums"},
        {"question": "1+1\nA. 1\nB. 2", "answer": "B", "extra": '{"subject":"sums"}'},
    ),
    "options": (
        {"question": "1+1", "options": ["1", "2"], "answer": "B", "answer_index": 1},
        {"question": "1+1\nA. 1\nB. 2", "answer": "B", "task": "choice"},
    ),
    "gsm8k": (
        {"question": "1+1", "answer": "One and one.\n#### 2"},
        {"answer": "2", "completion": None, "extra": '{"worked_solution":"One and one."}'},
    ),
    "samples": (
        {
            "id": "x",
            "prompt_id": "y",
            "prompt": TURNS[:1],
            "completion": "2",
            "generation": GENERATION,
            "task": "math",
        },
        {"completion": "2", "task": "math", "extra": '{"id":"x","prompt_id":"y"}'},
    ),
    "problem_solution": (
        {"problem": "1+1", "solution": "So \\boxed{3}, no, \\boxed{2}.", "messages": TURNS},
        {"answer": "2", "completion": None, "task": "math"},
    ),
    "sharegpt": ({"conversations": SHARED}, {"completion": "2"}),
    "messages": (
        {"messages": TURNS, "num_tokens": 4, "source": "MoT"},
        {"completion": "2", "source": "MoT", "extra": '{"num_tokens":4}'},
    ),
    "alpaca": (
        {"instruction": "Add.", "input": "1 1", "output": "2"},
        {"question": "Add.\n1 1", "completion": "2"},
    ),
    "prompt_completion": ({"prompt": "1+1", "completion": "2"}, {"completion": "2"}),
    "prompt_response": ({"prompt": "1+1", "response": "2"}, {"completion": "2"}),
    "question_response": (
        {"question": "1+1", "response": "2", "system_prompt": "Be short."},
        {"completion": "2", "extra": "{}"},
    ),
    "math_questions": (
        {"question": "1+1", "problem": "1+1 =", "answer": 2.0},
        {"question": "1+1", "answer": "2.0", "task": "math"},
    ),
    "math_problems": (
        {"problem": "x?", "answer": "x^2", "solution": "It is $\\boxed{x^2}$."},
        {"answer": "x^2", "completion": None, "task": "math"},
    ),
    "preference": (
        {"prompt": "1+1", "chosen": "2", "rejected": "3", "score_chosen": 9},
        {"completion": "2", "extra": '{"score_chosen":9}'},
    ),
    "question_answer": ({"question": "Who?", "answer": "Emmy Noether"}, {"task": "general"}),
    "problem_answer": ({"problem": "Who?", "answer": "Emmy Noether"}, {"question": "Who?"}),
    "prompts": ({"prompt": "1+1"}, {"completion": None}),
    "questions": ({"question": "1+1", "url": "x"}, {"extra": '{"url":"x"}'}),
    "problems": ({"problem": "1+1"}, {"question": "1+1"}),
}


def all_of(row: dict[str, Any]) -> tuple[str | None, list[Sample]]:
    means, _ = meaning(None, {}, "here").for_rows([row])
    shape = means.shape.name if means.shape else None
    return shape, [sample for sample, _ in means.samples(row)]


@pytest.mark.parametrize("name", EXAMPLES)
def test_recognised(name: str) -> None:
    row, expected = EXAMPLES[name]
    shape, samples = all_of(row)
    assert shape == name
    assert {key: getattr(samples[0], key) for key in expected} == expected


def test_every_shape_has_an_example_or_is_refused() -> None:
    refused = {shape.name for shape in SHAPES if shape.refused}
    assert EXAMPLES.keys() == {shape.name for shape in SHAPES} - refused


def test_pairs_of_a_step_are_not_taken_for_samples() -> None:
    row = {**EXAMPLES["samples"][0], "pair": 0, "side": "rejected"}
    with pytest.raises(RequestError, match=r"half of them are rejected ones.*reuse: \{source"):
        all_of(row)


def test_one_side_of_pairs_can_be_loaded_alone() -> None:
    row = {"prompt": "1+1", "chosen": "2", "rejected": "3"}
    columns = {"prompt": "prompt", "completion": "chosen"}
    means, _ = meaning(columns, {}, "here").for_rows([row])
    assert means.samples(row)[0][0].extra == '{"rejected":"3"}'


@pytest.mark.parametrize("name", ["humaneval", "mbpp"])
def test_keys_of_programs_are_read_by_the_judge(name: str) -> None:
    _, [sample] = all_of(EXAMPLES[name][0])
    assert sample.answer is not None
    assert not isinstance(read_key(sample.answer), UnreadableKey)
    assert json.loads(sample.answer)["entry_point"] == "add"


def test_each_generation_has_its_own_flags() -> None:
    _, samples = all_of(EXAMPLES["openr1"][0])
    assert [sample.completion for sample in samples] == ["<think>t</think>2", "<think>u</think>3"]
    made = [sample.generation for sample in samples]
    assert [(each.finish_reason, each.index) for each in made if each] == [
        ("stop", 0),
        ("length", 1),
    ]
    extras = [json.loads(sample.extra) for sample in samples]
    assert [extra["correctness_math_verify"] for extra in extras] == [True, False]
    assert [extra["messages"] for extra in extras] == [TURNS, TURNS]  # as long, but of the problem


KEYS = {
    "a place": (0, "A"),
    "a letter": ("B", "B"),
    "the option": ("two", "B"),
    "out of range": (2, None),
    "another letter": ("C", None),
    "true is no place": (True, None),
}


@pytest.mark.parametrize(("answer", "letter"), KEYS.values(), ids=KEYS.keys())
def test_keys_of_choices(answer: Any, letter: str | None) -> None:
    row = {"question": "1+1", "choices": ["one", "two"], "answer": answer}
    if letter is None:
        with pytest.raises(BadRow, match="answer_is_no_option"):
            all_of(row)
    else:
        assert all_of(row)[1][0].answer == letter


def test_options_with_labels_of_their_own() -> None:
    options = {"text": ["one", "two"], "label": ["1", "2"]}
    _, [sample] = all_of({"question": "1+1", "choices": options, "answerKey": "2"})
    assert (sample.answer, sample.extra) == ("B", "{}")


BAD: dict[str, tuple[str, dict[str, Any], str]] = {
    "no generations": ("openr1", {"generations": []}, "no_generations"),
    "a generation that is no text": ("openr1", {"generations": [1]}, "wrong_type:generations"),
    "two thoughts": ("s1k", {"thinking_trajectories": [T, T]}, "several_thoughts"),
    "no thoughts": ("s1k", {"thinking_trajectories": []}, "missing:thinking_trajectories"),
    "one option": ("choices", {"choices": ["1"]}, "wrong_number_of_options"),
    "eleven options": ("choices", {"choices": list("abcdefghijk")}, "wrong_number_of_options"),
    "tests of no function": ("mbpp", {"test_list": ["assert True"]}, "no_entry_point"),
    "tests that are no text": ("humaneval", {"test": 3}, "wrong_type:test"),
    "history of words": ("alpaca", {"history": ["1+1"]}, "wrong_type:history"),
}


@pytest.mark.parametrize(("name", "change", "reason"), BAD.values(), ids=BAD.keys())
def test_a_row_unlike_the_others(name: str, change: dict[str, Any], reason: str) -> None:
    row = EXAMPLES[name][0]
    means, _ = meaning(None, {}, "here").for_rows([row])
    with pytest.raises(BadRow) as caught:
        means.samples({**row, **change})
    assert caught.value.reason == reason


def test_a_row_without_a_box_has_no_key_and_one_with_a_key_keeps_it() -> None:
    row = EXAMPLES["problem_solution"][0]
    means, _ = meaning(None, {}, "here").for_rows([row])
    assert means.samples({**row, "solution": "Obvious."})[0][0].answer is None
    assert means.samples({**row, "answer": "two"})[0][0].answer == "two"


def test_half_of_the_rows_decide() -> None:
    rows = [{"question": "q"}] * 2 + [{"prompt": "p"}] * 3
    means, shapes = meaning(None, {}, "here").for_rows(rows)
    assert [shape.name for shape in shapes] == ["prompts"]
    assert means.samples({"question": "q"})[0][0].question == "q"


def test_the_more_specific_shape_is_taken_unless_one_is_named() -> None:
    row = EXAMPLES["gsm8k"][0]
    _, shapes = meaning(None, {}, "here").for_rows([row])
    assert [shape.name for shape in shapes] == ["gsm8k", "question_answer", "questions"]
    named, _ = meaning(None, {}, "here", shape="question_answer").for_rows([row])
    assert named.samples(row)[0][0].answer == "One and one.\n#### 2"
    with pytest.raises(ValueError, match="did you mean 'gsm8k'"):
        meaning(None, {}, "here", shape="gsm8")


def test_columns_choose_among_what_a_shape_makes() -> None:
    row = EXAMPLES["gsm8k"][0]
    columns = {
        "prompt": "question",
        "thought": "worked_solution",
        "completion": "answer",
        "answer": "answer",
    }
    means, _ = meaning(columns, {}, "here", shape="gsm8k").for_rows([row])
    sample, form = means.samples(row)[0]
    assert sample.completion == "<think>\nOne and one.\n</think>\n\n2"
    assert (sample.answer, sample.task, sample.extra, form) == ("2", "math", "{}", "separate")
