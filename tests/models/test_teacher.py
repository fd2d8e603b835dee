"""What a recipe may say of a teacher, and what of it is identity."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from workbench import Workbench

from potstill.models.teacher import Endpoint, EndpointTeacher, LocalTeacher, Price, TeacherConfig
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
        ({**SERVED, "attempts": 0}, ("endpoint", "attempts")),
        ({**SERVED, "endpoints": ["http://b:1"]}, ("endpoint",)),
        ({"model": "r1", "engine": "openai"}, ("endpoint",)),
        (
            {"model": "r1", "endpoints": ["http://a:1"], "api_key_env": "KEY"},
            ("endpoint",),
        ),
        ({"model": "r1", "endpoints": ["a:1"]}, ("endpoint", "endpoints", 0, "base_url")),
        (
            {"model": "r1", "endpoints": [{"base_url": "http://a", "concurrency": 0}]},
            ("endpoint", "endpoints", 0, "concurrency"),
        ),
        ({"model": "./t", "price": {"output": -1}}, ("local", "price", "output")),
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
    assert execution_fields(local) == {"engine", "engine_args", "price"}
    served = Holder.model_validate({"teacher": {**SERVED, "api_key_env": "KEY"}})
    assert not [m for m in walk(served) if isinstance(m.mark, Reference)]
    reached = {"engine", "base_url", "api_key_env", "endpoints", "attempts", "price"}
    reached |= {"timeout_s", "requests_per_minute", "tokens_per_minute"}
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


def test_the_key_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    config = EndpointTeacher(**SERVED, api_key_env="POTSTILL_TEST_KEY")
    (server,) = config.servers()
    monkeypatch.delenv("POTSTILL_TEST_KEY", raising=False)
    with pytest.raises(RequestError, match="POTSTILL_TEST_KEY"):
        server.api_key()
    monkeypatch.setenv("POTSTILL_TEST_KEY", f"{CANARY}\n")
    key = server.api_key()
    assert key is not None
    assert key.get_secret_value() == CANARY
    assert CANARY not in repr(key) + repr(config) + repr(server)
    assert Endpoint(base_url="http://a").api_key() is None


def test_an_endpoint_is_its_model_and_revision(context: Context) -> None:
    here = EndpointTeacher(**SERVED, revision="v1")
    there = EndpointTeacher(base_url="https://other/api/v1", model="r1", revision="v1")
    later = EndpointTeacher(**SERVED, revision="v2")
    several = EndpointTeacher(model="r1", revision="v1", endpoints=("http://a", "http://b"))
    assert here.identity(context) == there.identity(context) == several.identity(context)
    assert here.identity(context).key_part != later.identity(context).key_part


@pytest.mark.parametrize(
    ("base_url", "root"),
    [
        ("http://localhost:8000", "http://localhost:8000/v1"),
        ("http://localhost:8000/", "http://localhost:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://host/api/v1", "https://host/api/v1"),
    ],
)
def test_where_paths_are_added(base_url: str, root: str) -> None:
    (server,) = EndpointTeacher(base_url=base_url, model="m").servers()
    assert server.root == root
    assert server.name in root


def test_several_endpoints_are_addresses_or_more() -> None:
    given = ["http://a:1", {"base_url": "http://b:2", "concurrency": 3}]
    first, second = READ.validate_python({"model": "m", "endpoints": given}).servers()
    assert (first.name, first.concurrency) == ("a:1", None)
    assert (second.name, second.concurrency) == ("b:2", 3)


def test_a_price_is_for_a_million_tokens() -> None:
    assert Price(input=0.5, output=2.0).of(1_000_000, 500_000) == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("reference", "name"),
    [("./models/teacher", "teacher"), ("hub:owner/name@v1", "owner/name"), ("qwen", "qwen")],
)
def test_a_local_model_is_its_content(context: Context, reference: str, name: str) -> None:
    known = replace(context, digests={reference: "d" * 64})
    identity = LocalTeacher(model=reference).identity(known)
    assert (identity.name, identity.revision) == (name, "d" * 16)
    for engine in ("transformers", "vllm-serve"):
        assert identity == LocalTeacher(model=reference, engine=engine).identity(known)
    tuned = LocalTeacher(model=reference, engine_args={"max_num_seqs": 8})
    assert identity == tuned.identity(known)
    shorter = LocalTeacher(model=reference, context=100).identity(known)
    assert identity.key_part != shorter.key_part
