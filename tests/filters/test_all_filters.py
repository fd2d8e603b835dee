"""What every shipped filter owes: a stable identity, closed reasons, no crash, golden verdicts."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import potstill.filters
from potstill.filters import FILTERS, MathAnswer
from potstill.pipeline.catalog import Catalog
from potstill.pipeline.filter import Filter, JudgeContext, SampleFilter
from potstill.pipeline.fingerprint import canonical_json, digest_of
from potstill.pipeline.sample import Generation, Message, new_sample

sys.path.insert(0, str(Path(__file__).parent))

import golden

RECORDED = golden.recorded()
every_filter = pytest.mark.parametrize("kind", FILTERS)


@every_filter
def test_the_table_names_each_filter_by_its_kind(kind: str):
    made = FILTERS[kind]()
    assert made.kind == kind
    assert isinstance(made, Filter)
    assert all(re.fullmatch("[a-z][a-z_]*", reason) for reason in made.reasons)


@every_filter
def test_a_filter_is_frozen_and_refuses_unknown_fields(kind: str):
    made = FILTERS[kind]()
    with pytest.raises(ValidationError):
        made.threshold = 0.5  # type: ignore[attr-defined]
    with pytest.raises(ValidationError):
        FILTERS[kind](threshold=0.5)


@every_filter
def test_the_identity_is_plain_json_and_follows_the_config(kind: str):
    made = FILTERS[kind]()
    assert json.loads(canonical_json(made.identity()))["kind"] == kind
    assert digest_of(made.identity()) == digest_of(FILTERS[kind]().identity())


def test_the_config_and_the_versions_of_the_checker_are_identity():
    assert MathAnswer(cpu_seconds=9).identity() != MathAnswer().identity()
    assert set(MathAnswer().identity()["depends"]) == set(MathAnswer.depends)


def test_importing_the_filters_loads_no_heavy_library():
    heavy = {"torch", "vllm", "trl", "transformers", "datasets", "peft", "math_verify", "sympy"}
    code = "import sys, json, potstill.filters; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not heavy & set(json.loads(done.stdout))


PIECES = [
    *("<think>", "</think>", "<think></think>", "\\boxed{", "\\boxed{5}", "}", "{", "$", "$$"),
    *("\\(", "\\)", "\\[", "```", "`", "\n", " ", "\\frac{1}{2}", "^", "_", "!", "1", "1.5", "%"),
    *(
        "苹果",
        "答案是",
        "けん",
        "слово",
        "word ",
        "don't",
        "The answer is 5. ",
        "x1",
        "sin(",
        "\x00",
    ),
    *("\x1b[31m", "\u202e", "\u2028", "\ud800", "😀", "𝑥", "²", "(" * 40, "9^{9^9}", "\\" * 3, "-"),
]
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=14).map("".join)
keys = (
    st.none() | st.sampled_from(["5", "x^2", "", "(", "50%", "是", "1,234"]) | st.text(max_size=6)
)
languages = st.sampled_from([None, "en", "zh", "zh-Hant", "EN_us", "de", "", "-", "\ud800"])


@pytest.fixture(scope="module")
def judges():
    with MathAnswer(cpu_seconds=0.5).open(JudgeContext()) as math:
        row_filters = {kind: FILTERS[kind]() for kind in FILTERS if kind != "math"}
        opened = {kind: made.open(JudgeContext()) for kind, made in row_filters.items()}
        yield {kind: judge.__enter__() for kind, judge in opened.items()} | {"math": math}


@every_filter
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(completion=st.none() | hostile, key=keys, language=languages, cut=st.booleans())
def test_hostile_text_gets_a_verdict_from_the_closed_list(
    judges, kind: str, completion: str | None, key: str | None, language: str | None, cut: bool
):
    made = Generation("t", "r", "k", 0, None, "length" if cut else "stop", None, None)
    prompt = (Message("user", "How many 苹果 has Tom?"),)
    sample = new_sample(
        prompt, completion=completion, answer=key, language=language, generation=made
    )
    (verdict,) = judges[kind].judge([sample])
    assert verdict.reason in FILTERS[kind].reasons
    assert completion is not None or verdict.score is None
    json.dumps(dict(verdict.evidence), ensure_ascii=False).encode("utf-8")
    for name in ("foreign", "repeated"):
        for start, end in verdict.evidence.get(name, []):
            assert 0 <= start < end <= len(completion or "")


@pytest.mark.parametrize("kind", [kind for kind in FILTERS if kind != "math"])
@pytest.mark.parametrize("piece", [*PIECES, "a-", "a'", "<a", "http://", "a@", "aB", "\\begin{a}"])
def test_long_hostile_text_is_judged_in_linear_time(judges, kind: str, piece: str):
    """Not timed: a quadratic pattern on 200,000 characters would run into the test timeout."""
    text = "<think>" + piece * (200_000 // len(piece))
    judges[kind].judge([new_sample((), completion=text, language="zh")])


@pytest.fixture(scope="module")
def today():
    return {golden.identity(row): row for row in golden.rows_of_today()}


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row['filter']}-{row['sample']}"[:60])
def test_golden_verdicts_change_only_with_the_version(today, row):
    command = "run: python tests/filters/golden.py"
    assert golden.identity(row) in today, f"a recorded case is gone from golden.py; {command}"
    now = today[golden.identity(row)]
    assert now["version"] == row["version"], f"version of {row['filter']} was raised; {command}"
    assert now["verdict"] == row["verdict"], (
        f"{row['filter']} judges differently under the same version {row['version']}: stored "
        f"verdicts would be mixed with new ones. Raise its `version` by one, then {command}"
    )


def test_every_case_has_a_golden_verdict(today):
    assert set(today) == {golden.identity(row) for row in RECORDED}


@every_filter
def test_every_reason_has_a_golden_verdict(kind: str):
    given_reasons = {row["verdict"]["reason"] for row in RECORDED if row["filter"] == kind}
    needs_an_accident = {"checker_crashed"}  # tested in test_math_answer.py
    assert given_reasons == FILTERS[kind].reasons - needs_an_accident


def test_the_generator_refuses_a_changed_verdict_under_an_unchanged_version(
    tmp_path, monkeypatch, capsys
):
    row = golden._rows_of("format")[0]
    old = {**row, "verdict": {"score": 0.5, "reason": "ok", "evidence": {}}}
    file = tmp_path / "golden.jsonl"
    file.write_text(json.dumps(old) + "\n", "utf-8")
    monkeypatch.setattr(golden, "FILE", file)
    monkeypatch.setattr(golden, "CASES", {"format": golden.CASES["format"][:1]})
    assert golden.main() == 1
    assert "Raise `version`" in capsys.readouterr().err
    assert json.loads(file.read_text("utf-8")) == old


def test_the_filter_in_the_docstring_works_and_is_short(tmp_path, monkeypatch):
    """The example of the package docstring, as a user's module named in a recipe."""
    lines = (potstill.filters.__doc__ or "").split("\n")
    code = [line[4:] for line in lines if line.startswith("    ")]
    assert len([line for line in code if line.strip()]) <= 15
    (tmp_path / "my_filters.py").write_text("\n".join(code), "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found = Catalog(stages={}, filters=FILTERS).filter("my_filters:Hedging")
    assert issubclass(found, SampleFilter)
    with found(word="perhaps").open(JudgeContext()) as judge:  # type: ignore[call-arg]
        texts = ["<think>perhaps</think>5", "<think>surely</think>5", None]
        verdicts = judge.judge([new_sample((), completion=text) for text in texts])
    assert [(v.score, v.reason) for v in verdicts] == [
        (0.5, "hedges"),
        (1.0, "ok"),
        (None, "no_completion"),
    ]
