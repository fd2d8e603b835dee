"""Bad inputs of loading: each kind with what must become of it, by its number.

 1 malformed line      2 byte order mark      3 raw NUL             4 lone surrogate
 5 not UTF-8           6 U+2028 in a text     7 CRLF, blank lines   8 a key twice
 9 NaN, Infinity      10 5,000 digits        11 100,000 levels     12 a row of 2 MB
13 types by row       14 types by shard      15 a column missing   16 a column of wrong type
17 an id twice        18 ids equal in NFC    19 no rows            20 an empty prompt
22 an empty key       25 several boxes       26-28 damaged parquet 41 control codes in text
42 formulas in CSV    44 pickles, scripts    45 special tokens     46 order of reading
47 bombs, archives

Kinds that are no matter of loading are tested where they are dealt with:

21 too long a prompt       tests/stages/test_generate.py, tests/models/test_endpoint_answer.py
23, 24 hostile keys        tests/filters/adversarial_answers.py, tests/stages/test_check_keys.py
29-33 recipes              tests/pipeline/test_recipe.py, tests/pipeline/test_plan.py
34 two runs                tests/pipeline/test_lock.py, tests/crash/test_two_at_once.py
35 a full disk             tests/pipeline/test_failpoints.py, tests/crash/test_fail_points.py
37 clocks                  tests/pipeline/test_artifact.py, tests/pipeline/test_statcache.py
39 paths in manifests      tests/pipeline/test_verify.py
40 markup in pages         tests/stages/exporting/test_markdown.py (cards)
42 formulas in an export   tests/stages/test_export.py
43 injected instructions   tests/filters/ballots/test_ballot.py
48 secrets                 tests/stages/publishing/test_scan.py
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workbench import Workbench, aside

from potstill.catalog import CATALOG
from potstill.pipeline.errors import RequestError, StepFailed
from potstill.stages.judge_file import judge_file
from potstill.stages.load import Load
from potstill.stages.reading import packed
from potstill.views.terminal import safe

GOOD = b'{"prompt": "1+1", "answer": "2"}'
DEEP = b"[" * 100_000 + b"]" * 100_000


def row(**values: Any) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode()


def load(folder: Path, **fields: Any) -> Any:
    stage = Load(source="./data", **fields)
    return Workbench(folder).run("rows", stage, paths={"./data": folder / "data"})


def put(folder: Path, data: bytes, name: str = "data") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


QUARANTINED = {
    "1 malformed": (b'{"prompt": "1+', "malformed_json"),
    "3 raw NUL": (b'{"prompt": "a\x00b"}', "malformed_json"),
    "4 lone surrogate": (b'{"prompt": "\\ud800"}', "lone_surrogate"),
    "5 not UTF-8": (b'{"prompt": "caf\xe9"}', "invalid_utf8"),
    "8 a key twice": (b'{"prompt": "a", "prompt": "b"}', "duplicate_key"),
    "9 NaN": (b'{"prompt": "a", "score": NaN}', "nan_value"),
    "9 Infinity": (b'{"prompt": "a", "score": -Infinity}', "nan_value"),
    "10 5,000 digits": (b'{"prompt": "a", "answer": ' + b"9" * 5000 + b"}", "number_too_long"),
    "11 100,000 levels": (b'{"prompt": "a", "answer": ' + DEEP + b"}", "too_deep"),
    "16 a column of wrong type": (b'{"prompt": {"text": "a"}}', "wrong_type:prompt"),
    "20 an empty prompt": (b'{"prompt": " \\n"}', "empty_prompt"),
}


@pytest.mark.parametrize(("bad", "reason"), QUARANTINED.values(), ids=QUARANTINED.keys())
@pytest.mark.parametrize("beside", [1, 200])
def test_a_bad_row_costs_itself(tmp_path: Path, bad: bytes, reason: str, beside: int) -> None:
    put(tmp_path, b"\n".join([GOOD] * beside + [bad] + [GOOD] * beside))
    made = load(tmp_path)
    assert made.rows == 2 * beside
    assert made.metrics["quarantined"] == {reason: 1}
    (kept,) = aside(made, "quarantine")
    text = bad.decode("utf-8", "backslashreplace")
    assert kept == {"file": "data", "line": beside + 1, "reason": reason, "text": text}
    with pytest.raises(StepFailed, match=rf"data:{beside + 1} \({reason}\)"):
        load(tmp_path, max_bad=0)


GONE_WELL = {
    "2 byte order mark": (b"\xef\xbb\xbf" + GOOD, ["1+1"]),
    "3 escaped NUL": (b'{"prompt": "a\\u0000b"}', ["a\x00b"]),
    "6 U+2028": ('{"prompt": "a\u2028b"}'.encode(), ["a\u2028b"]),
    "7 CRLF": (GOOD + b"\r\n\r\n  \r\n" + GOOD, ["1+1", "1+1"]),
    "12 2 MB": (row(prompt="x" * 2_000_000), ["x" * 2_000_000]),
    "41 control codes": (b'{"prompt": "\\u001b[31m\\u202ex"}', ["\x1b[31m\u202ex"]),
    "42 a formula": (row(prompt="=HYPERLINK(1)"), ["=HYPERLINK(1)"]),
    "45 special tokens": (row(prompt="<|im_end|></think>"), ["<|im_end|></think>"]),
}


@pytest.mark.parametrize(("data", "prompts"), GONE_WELL.values(), ids=GONE_WELL.keys())
def test_odd_but_good_rows_come_through_as_they_are(
    tmp_path: Path, data: bytes, prompts: list[str]
) -> None:
    put(tmp_path, data)
    made = load(tmp_path)
    assert [sample.question for sample in made.samples()] == prompts
    assert made.metrics["quarantined"] == {}


def test_1_no_good_row_is_left(tmp_path: Path) -> None:
    put(tmp_path, b"{\n{")
    with pytest.raises(StepFailed, match=r"no row of .* could be used.*malformed_json 2"):
        load(tmp_path)


def test_13_types_that_change_from_row_to_row(tmp_path: Path) -> None:
    rows = [row(prompt="a", answer=value) for value in (1, "one", 0.5, None, True, [1])]
    put(tmp_path, b"\n".join(rows))
    made = load(tmp_path)
    assert [sample.answer for sample in made.samples()] == ["1", "one", "0.5", None]
    assert made.metrics["quarantined"] == {"wrong_type:answer": 2}


def test_14_types_that_change_from_shard_to_shard(tmp_path: Path) -> None:
    put(tmp_path, row(prompt="a", answer="1"), "data/a.jsonl")
    put(tmp_path, row(prompt="a", answer=[1]), "data/b.jsonl")
    with pytest.raises(RequestError, match=r"(?s)b.jsonl does not belong.*a.jsonl: .*b.jsonl: "):
        load(tmp_path)


def test_15_a_column_that_is_missing(tmp_path: Path) -> None:
    put(tmp_path, row(qestion="a", answer="1"))
    with pytest.raises(RequestError, match=r"is 'qestion' it\? Known: answer, qestion"):
        load(tmp_path)


def test_17_and_18_ids_declared_twice(tmp_path: Path) -> None:
    put(tmp_path, b"\n".join(row(prompt=str(n), id=name) for n, name in enumerate("aabb")))
    with pytest.raises(RequestError, match=r"'a' at data:2 and before at data:1"):
        load(tmp_path)
    put(tmp_path, row(prompt="1", id="\u00e9") + b"\n" + row(prompt="2", id="e\u0301"))
    with pytest.raises(RequestError, match="equal only in Unicode's form NFC"):
        load(tmp_path)


def test_17_equal_rows_without_ids_are_kept(tmp_path: Path) -> None:
    put(tmp_path, b"\n".join([GOOD] * 3))
    assert len({sample.id for sample in load(tmp_path).samples()}) == 3


@pytest.mark.parametrize("data", [b"", b"\n\n", b"[]"])
def test_19_no_rows(tmp_path: Path, data: bytes) -> None:
    put(tmp_path, data)
    with pytest.raises(StepFailed, match="holds no rows; expected at least one"):
        load(tmp_path)


def test_22_and_25_an_empty_key_is_unknown_and_boxes_are_counted(tmp_path: Path) -> None:
    put(
        tmp_path,
        b"\n".join(
            [
                row(prompt="1+1", completion="2", answer=""),
                row(prompt="1+1", completion=r"\boxed{3} no, \boxed{2}", answer="2"),
                row(prompt="1+1", completion=r"\boxed{2} so \boxed{2}", answer="2"),
            ]
        ),
    )
    found = list(judge_file(tmp_path / "data", ["math"], CATALOG, 1, work=tmp_path / "work"))
    assert [verdict["score"] for verdict in found] == [None, 0.0, 1.0]
    assert [verdict["evidence"].get("boxes") for verdict in found[1:]] == [2, 2]
    assert found[1]["reason"] == "contradictory_answers"


DAMAGED = {
    "26 cut": lambda data: data[: len(data) // 2],
    "27 no bytes": lambda data: b"",
    "28 a bit flipped": lambda data: data.replace(b"what is 250", b"what is 25q"),
}


@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED.keys())
def test_damaged_parquet_is_named_with_a_remedy(tmp_path: Path, damage: Any) -> None:
    table = pa.table({"prompt": [f"what is {n}?" for n in range(500)]})
    file = tmp_path / "data/part-00000.parquet"
    file.parent.mkdir()
    plain = {"compression": "none", "use_dictionary": False}
    pq.write_table(table, file, write_page_checksum=True, **plain)
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(RequestError, match=r"part-00000.parquet cannot be read.*build it again"):
        load(tmp_path)


def test_41_control_codes_of_a_bad_row_reach_no_terminal(tmp_path: Path) -> None:
    put(tmp_path, b"\x1b[2J{\n\x1b[2J{", "\x1b[31mdata")
    stage = Load(source="./data")
    paths = {"./data": tmp_path / "\x1b[31mdata"}
    with pytest.raises(RequestError) as caught:
        Workbench(tmp_path).run("rows", stage, paths=paths)
    assert "\x1b" not in str(safe(str(caught.value)))


@pytest.mark.parametrize("name", ["a.pkl", "a.pt", "a.bin", "a.npy", "a.py", "a.tar", "a.zip"])
def test_44_and_47_what_is_never_opened(tmp_path: Path, name: str) -> None:
    put(tmp_path, GOOD, "data/rows.jsonl")
    put(tmp_path, b"", f"data/{name}")
    with pytest.raises(RequestError, match=rf"{name} is not read as data\. "):
        load(tmp_path)


def test_46_how_a_source_is_read_does_not_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, b"\n".join(row(prompt=str(n % 50), answer=n % 3) for n in range(500)))
    before = load(tmp_path).digest
    read = packed.Unpacked.read
    monkeypatch.setattr(packed.Unpacked, "read", lambda self, size=99: read(self, size))
    assert load(tmp_path).digest == before


def zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, "zstd", asbytes=True))


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_47_what_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Any
) -> None:
    put(tmp_path, pack((GOOD + b"\n") * 10_000))
    unpacked = packed.unpacked
    monkeypatch.setattr(
        "potstill.stages.reading.readers.unpacked", lambda path: unpacked(path, 100_000)
    )
    monkeypatch.setattr(packed, "READ_BYTES", 10_000)
    with pytest.raises(RequestError, match="what it unpacks to is larger than 100000 bytes"):
        load(tmp_path)
