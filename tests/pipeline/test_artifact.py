"""An artifact is whole or it is nothing; any changed byte is found when it is opened."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from potstill.pipeline.artifact import MANIFEST, open_artifact, write_manifest
from potstill.pipeline.errors import StepFailed
from potstill.pipeline.sample import Message, new_sample, with_ids
from potstill.pipeline.shards import write_samples
from potstill.pipeline.statcache import DigestCache

BODY = {
    "step": "s",
    "address": "a",
    "identity": {"kind": "k"},
    "inputs": {},
    "rows": 2,
    "metrics": {},
}


def make(folder: Path) -> Path:
    write_samples(folder, with_ids(new_sample((Message("user", f"q{n}"),)) for n in range(2)))
    write_manifest(folder, BODY, {"seconds": 1.0})
    return folder


def test_without_a_manifest_there_is_nothing(tmp_path: Path) -> None:
    make(tmp_path / "a")
    (tmp_path / "a" / MANIFEST).unlink()
    assert open_artifact(tmp_path / "a") is None


def test_it_opens_with_its_rows_and_content_digest(tmp_path: Path) -> None:
    one, two = (open_artifact(make(tmp_path / name)) for name in "ab")
    assert one is not None
    assert two is not None
    assert (one.step, one.kind, one.address, one.rows) == ("s", "k", "a", 2)
    assert [sample.question for sample in one.samples()] == ["q0", "q1"]
    assert one.digest == two.digest, "the digest is content, not place"
    assert one.frame(["id"]).height == 2


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 7))
def test_any_flipped_bit_is_found(tmp_path: Path, position: int, bit: int) -> None:
    folder = make(tmp_path / "a")
    shard = folder / "part-00000.parquet"
    bad = bytearray(shard.read_bytes())
    bad[position % len(bad)] ^= 1 << bit
    shard.write_bytes(bytes(bad))
    with pytest.raises(StepFailed, match="does not have the sha256 of the manifest"):
        open_artifact(folder)


@pytest.mark.parametrize(
    "damage",
    [
        lambda manifest: manifest.write_text("{", encoding="utf-8"),
        lambda manifest: manifest.write_text("[]", encoding="utf-8"),
        lambda manifest: manifest.write_bytes(b"\xff"),
    ],
)
def test_a_damaged_manifest_is_told(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    folder = make(tmp_path / "a")
    damage(folder / MANIFEST)
    with pytest.raises(StepFailed, match=r"manifest\.json cannot be read"):
        open_artifact(folder)


def test_clocks_are_not_in_the_manifest(tmp_path: Path) -> None:
    manifest = json.loads((make(tmp_path / "a") / MANIFEST).read_text("utf-8"))
    assert "seconds" not in json.dumps(manifest)
    assert "timing.json" not in manifest["files"]


def test_the_digest_cache_sees_a_changed_file(tmp_path: Path) -> None:
    file, store = tmp_path / "file", tmp_path / "digests.json"
    file.write_text("a", encoding="utf-8")
    cache = DigestCache(store)
    first = cache.digest(file)
    cache.save()
    file.write_text("bb", encoding="utf-8")
    assert DigestCache(store).digest(file) != first


def test_a_model_folder_is_known_by_what_decides_its_behaviour(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"1")
    first = DigestCache(None).digest_path(tmp_path)
    (tmp_path / "README.md").write_text("words", encoding="utf-8")
    assert DigestCache(None).digest_path(tmp_path) == first
    (tmp_path / "chat_template.jinja").write_text("x", encoding="utf-8")
    assert DigestCache(None).digest_path(tmp_path) != first


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "nul\0", "", "a" * 300])
def test_a_name_that_leads_out_of_the_folder_is_not_opened(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "step-00000000"
    folder.mkdir()
    write_manifest(folder, BODY, {})
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    manifest["files"] = {name: {"bytes": 0, "sha256": "0" * 64}}
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    with pytest.raises(StepFailed, match=r"leads out|characters that|more than 255 bytes"):
        open_artifact(folder)


@pytest.mark.parametrize("name", ["part/manifest.json", "part/timing.json", "data/manifest.json"])
def test_only_its_own_manifest_and_clocks_are_not_listed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "a"
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_text("{}", encoding="utf-8")
    make(folder)
    assert name in json.loads((folder / MANIFEST).read_text("utf-8"))["files"]
    (folder / name).write_text("[]", encoding="utf-8")
    with pytest.raises(StepFailed, match=re.escape(name)):
        open_artifact(folder)
