"""What a recipe may say of a teacher, and what of it is identity."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from workbench import Workbench

from potstill.models import teacher as teachers
from potstill.models.request import Sampling
from potstill.models.teacher import EndpointTeacher, LocalTeacher, Opening, TeacherConfig
from potstill.pipeline.errors import RequestError
from potstill.pipeline.references import Execution, Reference, walk
from potstill.pipeline.stage import Config, Context

READ: TypeAdapter[Any] = TypeAdapter(TeacherConfig)
CANARY = "sk-canary0123456789abcdef"
SERVED = {"base_url": "http://localhost:8000", "model": "r1"}


class Holder(Config):
    teacher: TeacherConfig


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Workbench(tmp_path).context("traces")


def test_the_kind_is_told_by_base_url() -> None:
    assert isinstance(READ.validate_python({"model": "./t"}), LocalTeacher)
    assert isinstance(READ.validate_python(SERVED), EndpointTeacher)
    served = READ.validate_python(SERVED)
    assert READ.validate_python(served) is served


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"model": "./t", "engin": "vllm"}, ("local", "engin")),
        ({"engine": "vllm"}, ("local", "model")),
        ({**SERVED, "engine": "vllm"}, ("endpoint", "engine")),
        ({"model": "./t", "engine": "sglang"}, ("local", "engine")),
        ({**SERVED, "base_url": "localhost:8000"}, ("endpoint", "base_url")),
        ({**SERVED, "concurrency": 0}, ("endpoint", "concurrency")),
    ],
)
def test_an_error_names_the_fields_of_one_kind(given: dict[str, Any], field: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        READ.validate_python(given)
    assert [problem["loc"] for problem in caught.value.errors()] == [field]


def test_marks_are_found_inside_the_union() -> None:
    local = Holder.model_validate({"teacher": {"model": "./t"}})
    references = [m for m in walk(local) if isinstance(m.mark, Reference)]
    assert [(m.at, m.value) for m in references] == [(("teacher", "model"), "./t")]
    assert execution_fields(local) == {"engine"}
    served = Holder.model_validate({"teacher": {**SERVED, "api_key_env": "KEY"}})
    assert not [m for m in walk(served) if isinstance(m.mark, Reference)]
    reached = {"base_url", "api_key_env", "concurrency", "timeout_s", "attempts"}
    assert execution_fields(served) == reached


def execution_fields(config: Config) -> set[Any]:
    return {marked.at[-1] for marked in walk(config) if isinstance(marked.mark, Execution)}


@pytest.mark.parametrize(
    "given",
    [
        {**SERVED, "api_key_env": CANARY},
        {**SERVED, "api_key_env": "hf_abcdefghijklmnop"},
        {**SERVED, "api_key_env": "0123abcd0123abcd"},
        {**SERVED, "api_key": CANARY},
        {**SERVED, "model": CANARY},
        {**SERVED, "base_url": f"http://me:{CANARY}@host/v1"},
        {**SERVED, "base_url": f"http://host/v1?key={CANARY}"},
    ],
)
def test_a_literal_key_is_refused_and_not_repeated(given: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match="key") as caught:
        Holder.model_validate({"teacher": given})
    values = [str(value) for name, value in given.items() if value != SERVED.get(name)]
    assert not any(value in str(caught.value) for value in values)
    assert CANARY not in str(caught.value)


def test_the_key_comes_from_the_environment(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    config = EndpointTeacher(**SERVED, api_key_env="POTSTILL_TEST_KEY")
    opening = Opening(config, context, Sampling(), {})
    monkeypatch.delenv("POTSTILL_TEST_KEY", raising=False)
    with pytest.raises(RequestError, match="POTSTILL_TEST_KEY"):
        opening.check()
    monkeypatch.setenv("POTSTILL_TEST_KEY", f"{CANARY}\n")
    opening.check()
    key = config.api_key()
    assert key is not None
    assert key.get_secret_value() == CANARY
    assert CANARY not in repr(key) + repr(config) + repr(opening)


def test_an_endpoint_is_its_model_and_revision(context: Context) -> None:
    here = EndpointTeacher(**SERVED, revision="v1")
    there = EndpointTeacher(base_url="https://other/api/v1", model="r1", revision="v1")
    later = EndpointTeacher(**SERVED, revision="v2")
    assert here.identity(context) == there.identity(context)
    assert here.identity(context).key_part != later.identity(context).key_part


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/", "http://localhost:8000/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        ("https://host/api/v1", "https://host/api/v1/chat/completions"),
    ],
)
def test_where_completions_are_asked_for(base_url: str, url: str) -> None:
    assert EndpointTeacher(base_url=base_url, model="m").url == url


@pytest.mark.parametrize(
    ("reference", "name"),
    [("./models/teacher", "teacher"), ("hub:owner/name@v1", "owner/name"), ("qwen", "qwen")],
)
def test_a_local_model_is_its_content(context: Context, reference: str, name: str) -> None:
    known = replace(context, digests={reference: "d" * 64})
    identity = LocalTeacher(model=reference).identity(known)
    assert (identity.name, identity.revision) == (name, "d" * 16)
    assert identity == LocalTeacher(model=reference, engine="transformers").identity(known)
    shorter = LocalTeacher(model=reference, context=100).identity(known)
    assert identity.key_part != shorter.key_part


def test_without_vllm_the_step_says_so_and_uses_transformers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    bench = Workbench(tmp_path)
    context = bench.context("traces", paths={"./t": tmp_path})
    monkeypatch.setattr(teachers, "_is_installed", lambda module: module != "vllm")
    opened = []

    @contextmanager
    def fake(folder: Path, *rest: Any) -> Iterator[str]:
        opened.append(folder)
        yield "a teacher"

    monkeypatch.setattr("potstill.models.transformers_teacher.open_transformers", fake)
    with Opening(LocalTeacher(model="./t"), context, Sampling(), {}).open():
        assert opened == [tmp_path]
    assert ["vLLM is not installed" in note for note in bench.notes] == [True]


def test_without_any_engine_nothing_is_tried(
    monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    monkeypatch.setattr(teachers, "_is_installed", lambda module: False)
    with pytest.raises(RequestError, match=r"pip install 'potstill\[vllm\]'"):
        Opening(LocalTeacher(model="./t"), context, Sampling(), {}).check()
