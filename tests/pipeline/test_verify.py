"""Every way in which files can differ from their manifest is told, and nothing else is."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from toys import CATALOG

from potstill.pipeline.artifact import MANIFEST
from potstill.pipeline.errors import RequestError
from potstill.pipeline.file_names import bad_name
from potstill.pipeline.fingerprint import digest_file
from potstill.pipeline.plan import make_plan
from potstill.pipeline.recipe import recipe_of
from potstill.pipeline.runner import Run
from potstill.pipeline.verify import Checked, verify

SHARD = "part-00000.parquet"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("made") / "work"
    steps = {"first": {"numbers": {"rows": 500}}, "second": {"copy": {"samples": "first"}}}
    values = {"potstill": 1, "name": "toy", "filters": {"short": {}}, "steps": steps}
    Run(make_plan(recipe_of(values, CATALOG), work)).all()
    return work


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "work"))


def step(work: Path, name: str) -> Path:
    return next((work / "toy").glob(f"{name}-*"))


def only(work: Path, *names: str) -> Checked:
    (checked,) = verify(work, [*names] or [str(step(work, "first"))]).checked
    return checked


def told(work: Path) -> list[tuple[str, str]]:
    return [(each.name, each.kind) for each in only(work).differences]


@pytest.mark.parametrize("name", ["", "toy", "toy/first", "path", "manifest"])
def test_what_is_whole_by_all_its_names(work: Path, name: str) -> None:
    first = step(work, "first")
    names = {"": str(work), "path": str(first), "manifest": str(first / MANIFEST)}
    found = verify(work, [names.get(name, name)])
    assert found.whole
    assert len(found.checked) == (2 if name in ("", "toy") else 1)
    assert found.facts()["files"] == sum(
        len(list(each.path.glob("*.p*"))) for each in found.checked
    )


def test_a_step_by_two_names_is_read_once(work: Path) -> None:
    read: list[tuple[int, int]] = []
    found = verify(work, ["toy/first", str(work)], lambda *at: read.append(at))
    assert [each.step for each in found.checked] == ["first", "second"]
    assert read[-1][0] == read[-1][1] == found.facts()["bytes"]


def test_unfinished_steps_are_named_and_differ_in_nothing(work: Path) -> None:
    begun = work / "toy" / "third-0123abcd"
    begun.mkdir()
    found = verify(work, [str(work)])
    assert found.whole
    assert found.unfinished == (begun,)


def flip(file: Path, at: int) -> None:
    data = bytearray(file.read_bytes())
    data[at] ^= 1
    file.write_bytes(data)


def write_rows(file: Path) -> None:
    pl.DataFrame({"id": ["a"]}).write_parquet(file)


def link_out(file: Path) -> None:
    copy = file.parents[3] / "outside"
    shutil.move(file, copy)
    file.symlink_to(copy)


DAMAGE: dict[str, tuple[Callable[[Path], Any], str, str]] = {
    "gone": (lambda file: file.unlink(), "missing", "is missing"),
    "cut": (lambda file: os.truncate(file, 100), "truncated", "is cut short: 100 of "),
    "empty": (lambda file: os.truncate(file, 0), "truncated", "is cut short: 0 of "),
    "longer": (lambda file: file.open("ab").write(b"x"), "changed", "has damaged bytes: "),
    "other": (lambda file: write_rows(file), "changed", "in the manifest"),
    "bit": (lambda file: flip(file, 200), "changed", "has damaged bytes: "),
    "link": (link_out, "link", "outside the folder: not followed"),
    "folder": (lambda file: (file.unlink(), file.mkdir()), "changed", "is no file but"),
    "pipe": (lambda file: (file.unlink(), os.mkfifo(file)), "changed", "is no file but"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_shard_is_named_with_the_remedy(work: Path, name: str) -> None:
    damage, kind, what = DAMAGE[name]
    damage(step(work, "first") / SHARD)
    checked = only(work)
    (difference,) = checked.differences
    assert (difference.name, difference.kind) == (SHARD, kind)
    assert what in difference.what
    assert "run the recipe again" in str(checked.facts()["remedy"])
    assert not verify(work, [str(work)]).whole


@given(at=st.integers(0, 10_000))
def test_no_flipped_bit_goes_unnoticed(made: Path, at: int) -> None:
    shard = step(made, "first") / SHARD
    whole = shard.read_bytes()
    flip(shard, at % len(whole))
    try:
        assert told(made) == [(SHARD, "changed")]
    finally:
        shard.write_bytes(whole)


def test_another_file_of_the_same_size_is_not_called_damaged(work: Path) -> None:
    note = step(work, "first") / "note.txt"
    note.write_text("right", encoding="utf-8")
    edit(work, lambda manifest: manifest["files"].update({"note.txt": entry(5)}))
    assert only(work).differences[0].what == "has other content in the same 5 bytes"


def entry(size: int) -> dict[str, Any]:
    return {"bytes": size, "sha256": "0" * 64}


def edit(work: Path, change: Callable[[dict[str, Any]], object]) -> None:
    file = step(work, "first") / MANIFEST
    manifest = json.loads(file.read_text("utf-8"))
    change(manifest)
    file.write_text(json.dumps(manifest), encoding="utf-8")


def test_extra_files_differ_but_not_those_of_the_hub(work: Path) -> None:
    first = step(work, "first")
    for name in (".gitattributes", ".cache/huggingface/download/x.lock", ".git/config"):
        (first / name).parent.mkdir(parents=True, exist_ok=True)
        (first / name).write_text("", encoding="utf-8")
    assert told(work) == []
    (first / "data" / "deep").mkdir(parents=True)
    extra = ("data/evil.parquet", f"data/deep/{MANIFEST}", "data/deep/timing.json")
    for name in extra:
        (first / name).write_text("", encoding="utf-8")
    assert told(work) == [(name, "extra") for name in sorted(extra)]


def test_a_download_in_the_hub_s_cache_is_followed_into_its_blobs(work: Path) -> None:
    cache = work / "models--a--b"
    snapshot = cache / "snapshots" / "0123abcd"
    shutil.copytree(step(work, "first"), snapshot)
    (cache / "blobs").mkdir()
    shutil.move(snapshot / SHARD, cache / "blobs" / "sha")
    (snapshot / SHARD).symlink_to("../../blobs/sha")
    assert verify(work, [str(snapshot)]).whole


HOSTILE = ("../evil", "/etc/passwd", "a/../../b", "a//b", "", ".", "a\0b", "a\nb", "a\\b", "a\x1b")


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_never_opened(
    work: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from potstill.pipeline import listed_files

    opened: list[Path] = []
    digest = listed_files.digest_file
    monkeypatch.setattr(listed_files, "digest_file", lambda f: (opened.append(f), digest(f))[1])
    edit(work, lambda manifest: manifest["files"].update({name: entry(1)}))
    assert told(work) == [(name, "name")]
    assert opened == [step(work, "first") / SHARD]


@given(name=st.text())
def test_a_name_that_passes_stays_below(name: str) -> None:
    if bad_name(name) is None:
        assert Path(os.path.normpath(Path("/a") / name)).is_relative_to("/a")
        assert Path("/a") / name != Path("/a")
        assert "\0" not in name


MANIFESTS = {
    "empty": "",
    "torn": '{"files": {',
    "list": "[]",
    "deep": "[" * 100_000,
    "nothing": "{}",
    "files": '{"step": "a", "address": "b", "identity": {"kind": "c"}, "inputs": {}, "files": []}',
    "entry": '{"step": "a", "address": "b", "identity": {"kind": "c"}, "inputs": {}, '
    '"files": {"x": {"bytes": "many"}}}',
    "bytes": b"\xff\xfe",
    "nan": '{"step": "a", "address": "b", "identity": {"kind": "c", "x": NaN}, "inputs": {}, '
    '"files": {}}',
    "surrogate": '{"step": "a", "address": "b", "identity": {"kind": "c"}, "inputs": {}, '
    f'"files": {{"\\ud800": {{"bytes": 1, "sha256": "{"0" * 64}"}}}}}}',
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_damaged_manifest_is_told(work: Path, name: str) -> None:
    text = MANIFESTS[name]
    data = text if isinstance(text, bytes) else text.encode()
    (step(work, "first") / MANIFEST).write_bytes(data)
    checked = only(work)
    assert [each.kind for each in checked.differences] == ["manifest"]
    assert checked.facts()["digest"] is None
    assert len(verify(work, [str(work)]).checked) == 2


@pytest.mark.parametrize("value", [[], None, "x", {"first": 5}, {"first": None}])
@pytest.mark.parametrize("where", ["identity", "top"])
def test_inputs_of_another_form_are_told(work: Path, where: str, value: object) -> None:
    def change(manifest: dict[str, Any]) -> None:
        (manifest["identity"] if where == "identity" else manifest)["inputs"] = value

    edit(work, change)
    assert [each.kind for each in only(work).differences] == ["manifest"]


def test_an_edited_identity_is_told(work: Path) -> None:
    edit(work, lambda manifest: manifest["identity"]["config"].update({"rows": 5}))
    assert told(work) == [(MANIFEST, "manifest")]


def test_an_input_of_other_content_is_told(work: Path) -> None:
    edit(work, lambda manifest: manifest["files"].pop(SHARD))
    checked = only(work, "toy/second")
    assert [(each.name, each.kind) for each in checked.differences] == [(MANIFEST, "input")]
    shutil.rmtree(step(work, "first"))
    checked = only(work, "toy/second")
    assert checked.differences == ()
    assert checked.inputs_absent == ("first",)


def test_a_download_is_compared_with_the_manifests_it_brings(work: Path, tmp_path: Path) -> None:
    first, download = step(work, "first"), tmp_path / "download"
    shutil.copytree(step(work, "second"), download)
    brought = download / "provenance" / f"{first.name}.json"
    brought.parent.mkdir()
    shutil.copy(first / MANIFEST, brought)
    manifest = json.loads((download / MANIFEST).read_text("utf-8"))
    listed = {"bytes": brought.stat().st_size, "sha256": digest_file(brought)}
    manifest["files"][f"provenance/{brought.name}"] = listed
    (download / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    checked = only(work, str(download))
    assert (checked.differences, checked.inputs_absent) == ((), ())
    origin = json.loads(brought.read_text("utf-8"))
    origin["files"][SHARD]["sha256"] = "0" * 64
    brought.write_text(json.dumps(origin), encoding="utf-8")
    checked = only(work, str(download))
    assert [each.kind for each in checked.differences] == ["changed", "input"]
    assert checked.remedy == "Download it again, or export it again."


def test_an_edited_card_is_a_difference_that_says_where_it_may_come_from(work: Path) -> None:
    card = step(work, "first") / "README.md"
    card.write_text("# a longer one", encoding="utf-8")
    edit(work, lambda manifest: manifest["files"].update({"README.md": entry(3)}))
    (difference,) = only(work).differences
    assert (difference.name, difference.kind) == ("README.md", "changed")
    assert "edited on the hub's page" in difference.what


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("toy/frist", "neither a path nor a recipe or step"),
        ("tyo", "did you mean 'toy'"),
        ("empty", "holds no manifest.json"),
    ],
)
def test_names_that_mean_nothing(work: Path, name: str, message: str) -> None:
    (work / "empty").mkdir()
    with pytest.raises(RequestError, match=message):
        verify(work, [name])
