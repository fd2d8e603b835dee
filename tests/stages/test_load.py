"""The load step: counts that close, errors that can be acted on, the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from workbench import Workbench, aside

from potstill.pipeline.errors import RequestError, StepFailed
from potstill.pipeline.external import resolve_external
from potstill.pipeline.fingerprint import digest_file
from potstill.pipeline.references import walk
from potstill.pipeline.sample import Sample
from potstill.pipeline.shards import shard_files
from potstill.pipeline.statcache import DigestCache
from potstill.stages.load import Load
from potstill.stages.reading import packed
from potstill.stages.reading.rows import Quarantined
from potstill.stages.reading.samples import read_samples

GOOD = '{"prompt": "1+1", "answer": 2}'


def lines(bench: Workbench, *rows: str | dict[str, Any]) -> Path:
    path = bench.root / "rows.jsonl"
    texts = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


def load(bench: Workbench, path: Path, limit: int | None = None, **fields: Any) -> Any:
    stage = Load(source="./rows.jsonl", **fields)
    return bench.run("problems", stage, paths={"./rows.jsonl": path}, limit=limit)


def test_rows_in_are_rows_out_and_quarantined(bench: Workbench) -> None:
    path = lines(bench, GOOD, "{broken", GOOD, '{"answer": 3}', "[]", "")
    artifact = load(bench, path)
    assert artifact.metrics == {
        "read": 5,
        "rows": 2,
        "expanded": 0,
        "quarantined": {"malformed_json": 1, "missing_prompt": 1, "not_an_object": 1},
        "columns": {"prompt": "prompt", "answer": "answer"},
        "with_answer": 2,
        "with_completion": 0,
        "languages": {"unknown": 2},
        "thinking": {},
        "shape": "prompts",
        "origin": {"kind": "file", "name": "rows.jsonl"},
        "license": None,
    }
    assert artifact.rows == 2
    assert aside(artifact, "quarantine") == [
        {"file": "rows.jsonl", "line": 2, "reason": "malformed_json", "text": "{broken"},
        {"file": "rows.jsonl", "line": 4, "reason": "missing_prompt", "text": '{"answer": 3}'},
        {"file": "rows.jsonl", "line": 5, "reason": "not_an_object", "text": "[]"},
    ]
    assert bench.notes == [
        "3 of 5 rows quarantined: malformed_json 1, missing_prompt 1, not_an_object 1; "
        "the first is rows.jsonl:2 (malformed_json)"
    ]


def test_samples_have_a_source_and_content_ids(bench: Workbench) -> None:
    first, second = load(bench, lines(bench, GOOD, GOOD)).samples()
    assert (first.source, first.answer, first.question) == ("problems", "2", "1+1")
    assert first.prompt_id == second.prompt_id
    assert first.id != second.id


def test_rows_without_a_key_are_fine(bench: Workbench) -> None:
    artifact = load(bench, lines(bench, GOOD, '{"prompt": "2+2"}'))
    assert [sample.answer for sample in artifact.samples()] == ["2", None]
    assert artifact.metrics["with_answer"] == 1


@pytest.mark.parametrize(
    ("fields", "limit", "expected"),
    [
        ({}, None, [0, 2, 3, 4]),
        ({"rows": 2}, None, [0]),
        ({"rows": 3}, None, [0, 2]),
        ({"skip": 2}, None, [2, 3, 4]),
        ({"skip": 3, "rows": 1}, None, [3]),
        ({"rows": 4}, 3, [0, 2]),
        ({"skip": 2}, 1, [2]),
    ],
)
def test_rows_and_skip_count_rows_of_the_source(
    bench: Workbench, fields: dict[str, int], limit: int | None, expected: list[int]
) -> None:
    path = lines(bench, *(f'{{"prompt": "{n}"}}' if n != 1 else "bad" for n in range(5)))
    artifact = load(bench, path, limit, **fields)
    assert [int(sample.question) for sample in artifact.samples()] == expected


def test_the_same_content_gives_the_same_bytes(bench: Workbench) -> None:
    other = Workbench(bench.root / "elsewhere")
    other.root.mkdir()
    made = [load(place, lines(place, GOOD, "{broken", GOOD)) for place in (bench, other)]
    files = [sorted(artifact.path.rglob("*.parquet")) for artifact in made]
    assert len(files[0]) == 2
    assert [digest_file(file) for file in files[0]] == [digest_file(file) for file in files[1]]


def test_no_good_row_fails_and_says_why(bench: Workbench) -> None:
    path = lines(bench, "{broken", "[]")
    with pytest.raises(StepFailed, match=r"no row of .*rows.jsonl could be used") as caught:
        load(bench, path)
    assert "malformed_json 1, not_an_object 1" in str(caught.value)
    assert "the first is rows.jsonl:1 (malformed_json)" in str(caught.value)


def test_an_empty_file_fails(bench: Workbench) -> None:
    with pytest.raises(StepFailed, match=r"rows.jsonl holds no rows; expected at least one"):
        load(bench, lines(bench))
    with pytest.raises(StepFailed, match="holds no rows after the first 9"):
        load(bench, lines(bench, GOOD), skip=9)


def test_a_column_that_is_nowhere_is_one_error(bench: Workbench) -> None:
    path = lines(bench, {"question": "1+1", "answer": "2"})
    with pytest.raises(RequestError, match=r"rows.jsonl: there is no column 'qestion'.*'question'"):
        load(bench, path, columns={"prompt": "qestion"})


def test_hostile_text_comes_through_as_it_is(bench: Workbench) -> None:
    texts = ["\x1b[31mred", "a\u2028b", "<|im_end|>", "\u0000", "$HOME", "é", "e\u0301"]
    artifact = load(bench, lines(bench, *({"prompt": text} for text in texts)))
    assert [sample.question for sample in artifact.samples()] == texts


def test_labels(bench: Workbench) -> None:
    path = lines(bench, {"prompt": "1+1", "source": "theirs"}, {"prompt": "2+2"})
    artifact = load(bench, path, task="math", language="en")
    found = [(s.task, s.language, s.source) for s in artifact.samples()]
    assert found == [("math", "en", "theirs"), ("math", "en", "problems")]
    assert {s.source for s in load(bench, path, name="exam").samples()} == {"exam"}


def test_word_problems(bench: Workbench) -> None:
    stage = Load(source="word_problems", rows=6, seed=3, languages=("zh",))
    artifact = bench.run("problems", stage)
    found = list(artifact.samples())
    assert len(found) == 6
    assert {(s.language, s.task, s.source, s.extra) for s in found} == {
        ("zh", "math", "word_problems", "{}")
    }
    assert all(sample.answer for sample in found)
    assert len(list(bench.run("smoke", stage, limit=2).samples())) == 2
    heldout = stage.model_copy(update={"split": "heldout"})
    assert not {s.id for s in found} & {s.id for s in bench.run("heldout", heldout).samples()}


def test_word_problems_says_what_it_does_not_know(bench: Workbench) -> None:
    for wrong in ({"languages": ("fr",)}, {"split": "test"}):
        stage = Load(source="word_problems", rows=1, **wrong)  # type: ignore[arg-type]
        with pytest.raises(RequestError, match="expected"):
            bench.run("problems", stage)


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "built-in without rows": ({"source": "word_problems"}, "rows must be given"),
    "columns of a built-in": (
        {"source": "word_problems", "rows": 1, "columns": {"prompt": "q"}},
        "columns cannot be used with a built-in source",
    ),
    "seed of a file": ({"source": "./a", "seed": 1}, "seed cannot be used with a file"),
    "languages of hub data": (
        {"source": "hub:a/b", "languages": ["en"]},
        "languages cannot be used with a file, a folder or hub data",
    ),
    "no prompt": ({"source": "./a", "columns": {"answer": "a"}}, "which column is the prompt"),
    "unknown field": (
        {"source": "./a", "columns": {"promt": "q"}},
        "columns sets 'promt'; did you mean 'prompt'",
    ),
    "bad text": ({"source": "./a", "columns": {"prompt": "5$"}}, "begins no column"),
    "task twice": (
        {"source": "./a", "columns": {"prompt": "q", "task": "t"}, "task": "math"},
        "task is given both in columns and beside it",
    ),
    "no rows": ({"source": "./a", "rows": 0}, "greater than or equal to 1"),
    "a slip": ({"source": "./a", "rwos": 1}, "Extra inputs are not permitted"),
}


@pytest.mark.parametrize(("fields", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_requests(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Load(**fields)


_row = st.one_of(
    st.builds(lambda text: json.dumps({"prompt": text}), st.text(max_size=5)),
    st.builds(lambda value: json.dumps(value), st.integers() | st.none() | st.lists(st.none())),
    st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=8),
)


@settings(deadline=None, max_examples=50)
@given(st.lists(_row, max_size=20))
def test_counts_close_for_any_lines(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    bench = Workbench(tmp_path_factory.mktemp("load"))
    path = lines(bench, GOOD, *texts)
    artifact = load(bench, path)
    read = sum(bool(text.strip(" \t\r\n")) for text in texts) + 1
    quarantined = aside(artifact, "quarantine")
    assert artifact.metrics["read"] == read == artifact.rows + len(quarantined)
    assert sum(artifact.metrics["quarantined"].values()) == len(quarantined)


def test_a_data_folder_is_known_by_all_its_files(tmp_path: Path) -> None:
    (mark,) = (found.mark for found in walk(Load(source="./data")))
    (tmp_path / "data/train").mkdir(parents=True)
    digests = set()
    for name, text in (("train/a.jsonl", GOOD), ("train/b.jsonl", GOOD), ("train/a.jsonl", "")):
        (tmp_path / "data" / name).write_text(text)
        digests.add(resolve_external("./data", mark, tmp_path, DigestCache(None)).digest)
    assert len(digests) == 3


def test_read_samples_keeps_the_ids_of_a_file(bench: Workbench) -> None:
    path = lines(bench, {"id": "a1", "prompt": "x"}, "{", {"id": 7, "prompt": "x"}, {"prompt": "x"})
    found = list(read_samples(path))
    assert [row.id for row in found if isinstance(row, Sample)][:2] == ["a1", "7"]
    assert isinstance(found[1], Quarantined)
    content_id = next(iter(read_samples(lines(bench, {"prompt": "x"}))))
    assert isinstance(content_id, Sample)
    assert len(content_id.id) == 16


def test_read_samples_gives_equal_rows_different_ids(bench: Workbench) -> None:
    found = list(read_samples(lines(bench, GOOD, GOOD)))
    assert len({row.id for row in found if isinstance(row, Sample)}) == 2
    with pytest.raises(RequestError, match="does not exist"):
        list(read_samples(bench.root / "gone.jsonl"))


def test_max_bad_is_a_number_or_a_share(bench: Workbench) -> None:
    path = lines(bench, GOOD, "{", GOOD, "[]", GOOD)
    for fine in (2, 0.4, None):
        assert load(bench, path, max_bad=fine).rows == 3
    with pytest.raises(StepFailed, match="more than 1 rows could not be used") as caught:
        load(bench, path, max_bad=1)
    assert "rows.jsonl:2 (malformed_json), rows.jsonl:4 (not_an_object)" in str(caught.value)
    with pytest.raises(StepFailed, match=r"2 of 5 rows could not be used, more than 39\.00%"):
        load(bench, path, max_bad=0.39)
    with pytest.raises(ValidationError):
        Load(source="./a", max_bad=1.5)


def test_ids_that_the_file_declares_twice(bench: Workbench) -> None:
    composed, apart = "caf\u00e9", "cafe\u0301"
    rows = [{"id": name, "prompt": str(n)} for n, name in enumerate(["a", 7, composed, "a", apart])]
    path = lines(bench, *rows, {"prompt": "x"}, {"prompt": "x"}, {"id": None, "prompt": "y"})
    with pytest.raises(RequestError, match="declares one id for several rows") as caught:
        load(bench, path)
    message = str(caught.value)
    assert "'a' at rows.jsonl:4 and before at rows.jsonl:1\n" in message
    assert f"'{apart}' at rows.jsonl:5 and before at rows.jsonl:3 (equal only in Unicode" in message
    assert "duplicate_ids: keep" in message
    assert load(bench, path, duplicate_ids="keep").rows == 8


def test_rows_of_mixtures_and_pairs_have_one_id_by_intent(bench: Workbench) -> None:
    rows = [
        {"id": "a", "prompt": "x", "copy": 0},
        {"id": "a", "prompt": "x", "copy": 1},
        {"id": "b", "prompt": "x", "pair": 0, "side": "chosen"},
        {"id": "b", "prompt": "x", "pair": 1, "side": "chosen"},
    ]
    assert load(bench, lines(bench, *rows)).rows == 4
    with pytest.raises(RequestError, match=r"'a' at rows.jsonl:5 and before at rows.jsonl:2"):
        load(bench, lines(bench, *rows, rows[1]))


def test_where_it_came_from_and_its_licence(bench: Workbench) -> None:
    folder = bench.root / "theirs"
    folder.mkdir()
    (folder / "rows.jsonl").write_text(GOOD)
    stage = Load(source="./theirs")

    def facts(stage: Load) -> tuple[Any, Any]:
        made = bench.run("problems", stage, paths={"./theirs": folder}).metrics
        return made["origin"], made["license"]

    assert facts(stage) == ({"kind": "folder", "name": "theirs"}, None)
    (folder / "LICENSE.txt").write_text("MIT")
    assert facts(stage)[1] == "see LICENSE.txt"
    (folder / "README.md").write_text("---\nlicense: [mit, apache-2.0]\n---\n")
    assert facts(stage)[1] == "mit, apache-2.0"
    assert facts(Load(source="./theirs", license="cc0-1.0"))[1] == "cc0-1.0"
    builtin = bench.run("words", Load(source="word_problems", rows=1)).metrics
    assert builtin["origin"] == {"kind": "builtin", "name": "word_problems"}


def reading_by(size: int) -> Any:
    """`Unpacked.read` that gives `size` bytes where nobody says how many."""
    read = packed.Unpacked.read
    return lambda self, asked=size: read(self, asked)


def test_how_the_source_is_cut_into_blocks_does_not_show(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"prompt": f"q{n % 40}", "answer": n % 3, "id": None} for n in range(300)]
    path = lines(bench, *rows, "{broken", *rows, GOOD)
    digests = []
    for size in (1 << 20, 1000, 90):
        with monkeypatch.context() as patch:
            patch.setattr(packed.Unpacked, "read", reading_by(size))
            artifact = load(bench, path)
        digests.append([digest_file(file) for file in sorted(artifact.path.rglob("*.parquet"))])
    assert digests[0] == digests[1] == digests[2]


def test_progress_knows_how_much_is_left(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed.Unpacked, "read", reading_by(1000))
    load(bench, lines(bench, *[GOOD] * 200))
    shown = [event for event in bench.events if event["event"] == "progress"]
    assert all(150 < event["total"] < 250 for event in shown[2:] if event["total"])
    assert len(shown) > 4
    assert (shown[-1]["done"], shown[-1]["total"]) == (200, 200)


def test_a_recipe_cannot_read_standard_input() -> None:
    with pytest.raises(ValidationError, match="a recipe cannot read standard input"):
        Load(source="-")


def test_a_large_file_is_written_in_shards(bench: Workbench) -> None:
    path = lines(bench, *({"prompt": str(n)} for n in range(10_001)))
    artifact = load(bench, path)
    assert len(shard_files(artifact.path)) == 2
    assert [int(s.question) for s in artifact.samples()] == list(range(10_001))
    assert bench.events[-1]["done"] == 10_001


def test_completions_may_be_read_without_prompts(bench: Workbench) -> None:
    path = lines(bench, {"completion": "2", "answer": "2"}, {"prompt": "", "completion": "3"})
    found = [row for row in read_samples(path, needs_prompt=False) if isinstance(row, Sample)]
    assert [(row.prompt, row.completion, row.answer) for row in found] == [
        ((), "2", "2"),
        ((), "3", None),
    ]
    assert found[0].id != found[1].id
    refused = [row.reason for row in read_samples(path) if isinstance(row, Quarantined)]
    assert refused == ["missing_prompt", "empty_prompt"]
    with pytest.raises(RequestError, match=r"Known: answr, text\. Name it"):
        list(read_samples(lines(bench, {"text": "x", "answr": "2"}), needs_prompt=False))
