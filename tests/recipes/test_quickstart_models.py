"""The shipped quickstart models: small, safe to load, honest about turns, thinking and text."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potstill.recipes.quickstart.measuring import Finding, examine, rates
from potstill.recipes.quickstart.small_talk import general_rows
from potstill.recipes.quickstart.traces import LOOP_LENGTH, faulty_trace
from potstill.stages.word_problems import problems, worked_solution

QUICKSTART = Path(__file__).resolve().parents[2] / "recipes" / "quickstart"
MODELS = ("teacher", "student-qwen", "student-llama")
MEGABYTES = 1_000_000
SOLUTION = "<think>\n3 + 4 = 7.\n</think>\nThe answer is \\boxed{7}."
QUESTION = [{"role": "user", "content": "What is 3 + 4?"}]
every_model = pytest.mark.parametrize("name", MODELS)


@cache
def tokenizer_of(name: str) -> Any:
    return pytest.importorskip("transformers").AutoTokenizer.from_pretrained(QUICKSTART / name)


def size_of(name: str) -> int:
    return sum(path.stat().st_size for path in (QUICKSTART / name).iterdir())


def test_models_are_small() -> None:
    assert size_of("teacher") <= 8 * MEGABYTES
    assert size_of("student-qwen") + size_of("student-llama") <= 8 * MEGABYTES


@every_model
def test_folder_holds_what_loading_needs_and_no_pickles(name: str) -> None:
    files = {path.name for path in (QUICKSTART / name).iterdir()}
    assert files == {
        "README.md",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }


@every_model
def test_no_file_names_a_place_on_the_maker_s_machine(name: str) -> None:
    for path in (QUICKSTART / name).glob("*"):
        content = path.read_bytes()
        checkout = QUICKSTART.parents[1].parent.as_posix().rstrip("/") + "/"
        for trace in (checkout, f"{Path.home()}/", "/home/", "/tmp/", "_name_or_path"):
            assert trace.encode() not in content, f"{path.name} holds {trace!r}"


@every_model
def test_config_loads_as_float32_and_stops_at_the_end_of_turn(name: str) -> None:
    config = json.loads((QUICKSTART / name / "config.json").read_text())
    generation = json.loads((QUICKSTART / name / "generation_config.json").read_text())
    tokenizer = tokenizer_of(name)
    shape = "LlamaForCausalLM" if "llama" in name else "Qwen2ForCausalLM"
    assert config["architectures"] == [shape]  # trl fails without
    assert config["dtype"] == "float32"
    assert config["hidden_size"] // config["num_attention_heads"] in {32, 64, 128}
    assert config["vocab_size"] >= len(tokenizer)
    assert config["max_position_embeddings"] >= 1024
    assert generation["eos_token_id"] == config["eos_token_id"] == tokenizer.eos_token_id
    assert tokenizer.pad_token_id != tokenizer.eos_token_id


@every_model
@pytest.mark.parametrize(
    "text",
    [
        "🥃 émigré — naïve",
        "小明有三个苹果，一共几元？",
        "  leading, trailing  \n\n\ttabs ",
        "\u202eright to left\u202c العربية",
        "12345 + 67 = 12412",
    ],
)
def test_any_text_round_trips(name: str, text: str) -> None:
    tokenizer = tokenizer_of(name)
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids, skip_special_tokens=True) == text


@every_model
@given(text=st.text())
@settings(max_examples=100, deadline=None)
def test_random_text_round_trips_in_normal_form(name: str, text: str) -> None:
    """Qwen's tokenizer normalises to NFC, as the real one does; nothing is ever unknown."""
    tokenizer = tokenizer_of(name)
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert normalize("NFC", tokenizer.decode(ids)) == normalize("NFC", text)


@every_model
def test_the_file_and_the_loaded_tokenizer_agree(name: str) -> None:
    """transformers replaces the pre-tokenizer of some model types on loading; vLLM may not."""
    raw = pytest.importorskip("tokenizers").Tokenizer.from_file(
        str(QUICKSTART / name / "tokenizer.json")
    )
    tokenizer = tokenizer_of(name)
    for problem in problems(50, seed=1):
        for text in (problem.question, worked_solution(problem)):
            encoded = tokenizer.encode(text, add_special_tokens=False)
            assert encoded == raw.encode(text, add_special_tokens=False).ids


@every_model
def test_digits_stand_alone(name: str) -> None:
    tokenizer = tokenizer_of(name)
    pieces = [
        tokenizer.decode([token]) for token in tokenizer.encode("1234", add_special_tokens=False)
    ]
    assert pieces == ["1", "2", "3", "4"]


@every_model
def test_thinking_is_kept_by_template_and_decoding(name: str) -> None:
    tokenizer = tokenizer_of(name)
    turns = [*QUESTION, {"role": "assistant", "content": SOLUTION}, *QUESTION]
    rendered = tokenizer.apply_chat_template(turns, tokenize=False)
    assert SOLUTION in rendered
    ids = tokenizer.encode(SOLUTION, add_special_tokens=False)
    assert tokenizer.decode(ids, skip_special_tokens=True) == SOLUTION
    assert len(tokenizer.encode("<think>", add_special_tokens=False)) == 1


@every_model
@pytest.mark.parametrize("system", [False, True])
@pytest.mark.parametrize("completion", [SOLUTION, "Hello!", "\n你好", " spaced"])
def test_prompt_is_a_prefix_and_one_end_of_turn_follows(
    name: str, completion: str, system: bool
) -> None:
    """The loss mask rests on this: prompt ids, then completion ids, then the end of turn, once."""
    tokenizer = tokenizer_of(name)
    prompt = [{"role": "system", "content": "Think."}, *QUESTION] if system else QUESTION
    answered = [*prompt, {"role": "assistant", "content": completion}]
    start = tokenizer.apply_chat_template(prompt, add_generation_prompt=True)["input_ids"]
    whole = tokenizer.apply_chat_template(answered)["input_ids"]
    assert whole[: len(start)] == start
    answer = whole[len(start) :]
    assert answer.count(tokenizer.eos_token_id) == 1
    assert answer[-1] == tokenizer.eos_token_id
    assert tokenizer.decode(answer[:-1]) == completion


@every_model
@pytest.mark.slow
def test_weights_load_completely(name: str) -> None:
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        QUICKSTART / name, output_loading_info=True
    )
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    assert model.dtype == torch.float32
    assert all(torch.isfinite(tensor).all() for tensor in model.state_dict().values())


def test_general_rows_are_the_generator_s() -> None:
    path = QUICKSTART / "general.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert rows == general_rows()
    assert 600 <= len(rows) <= 1000
    assert path.stat().st_size < 200_000
    assert len({row["prompt"] for row in rows}) == len(rows)
    assert {row["language"] for row in rows} == {"en", "zh"}


def test_a_clean_trace_is_found_right_and_faultless() -> None:
    for problem in problems(50, seed=1):
        finding = examine(worked_solution(problem), problem)
        assert finding == Finding(right=True, mixed=False, broken=False, looped=False)


def test_injected_faults_are_found_for_what_they_are() -> None:
    rng = Random(1)
    seen = set()
    for problem in problems(2000, seed=2):
        trace = faulty_trace(problem, rng)
        finding = examine(trace.text, problem)
        assert finding.mixed == (trace.fault == "mixed")
        assert finding.looped == (trace.fault == "loop")
        assert finding.broken == (trace.fault in {"unclosed", "unanswered", "unboxed", "twice"})
        assert trace.ended == (trace.fault != "loop")
        seen.add(trace.fault)
    assert seen == {None, "mixed", "loop", "unclosed", "unanswered", "unboxed", "twice"}
    assert LOOP_LENGTH >= 10


def test_rates_count_each_completion_once() -> None:
    asked = list(problems(10, seed=3))
    texts = [worked_solution(problem) for problem in asked[:7]] + ["nothing"] * 3
    found = rates(texts, asked)
    assert (found["right"].share, found["broken"].share, found["right"].n) == (0.7, 0.3, 10)
