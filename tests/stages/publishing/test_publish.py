"""Publishing to a stand-in of the hub with the real client: uploads, faults, and downloads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_stand_in import TOKEN, Fault, Repo, StandIn, hub_stand_in
from workbench import Workbench, problem

from potstill.pipeline.artifact import Artifact
from potstill.pipeline.errors import PotstillError, RequestError, StepFailed
from potstill.pipeline.verify import verify
from potstill.stages.export import Export
from potstill.stages.exporting import files
from potstill.stages.publishing.hub import Hub
from potstill.stages.publishing.publish import Publication, publish
from potstill.stages.publishing.remote import Remote

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
NAME = "ann/sums"
KEY = "datasets/ann/sums"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The client reads its settings when it is imported."""
    with hub_stand_in() as state:
        monkeypatch.setattr(constants, "ENDPOINT", state.url)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield state


@pytest.fixture
def bench(tmp_path: Path) -> Workbench:
    return Workbench(tmp_path / "run")


def export(bench: Workbench, *completions: str) -> Artifact:
    rows = [problem(f"{n}+1", text) for n, text in enumerate(completions or ("1", "2", "3"))]
    chosen = bench.samples("chosen", rows)
    return bench.run("out", Export(samples="chosen"), inputs={"chosen": chosen})


def upload(artifact: Artifact, **given: Any) -> Publication:
    return publish(artifact.path, NAME, **{"really": True, **given})


def test_a_dry_run_changes_nothing(hub: StandIn, bench: Workbench) -> None:
    found = publish(export(bench).path, NAME)
    facts = found.facts()
    assert (facts["exists"], facts["uploaded"], facts["revision"]) == (False, False, None)
    assert {file["change"] for file in facts["files"]} == {"new"}
    assert [file["name"] for file in facts["files"]] == [
        "README.md",
        "data/train-00000-of-00001.parquet",
        "manifest.json",
    ]
    assert facts["card_head"][0] == "---"
    assert hub.writes() == []
    assert hub.repos == {}
    assert not found.refused


def test_an_upload_is_one_commit_that_names_the_artifact(hub: StandIn, bench: Workbench) -> None:
    artifact = export(bench)
    found = upload(artifact)
    revision, message, there = hub.repos[KEY].commits[-1]
    assert len(hub.repos[KEY].commits) == 2
    assert found.revision == revision
    digest = found.facts()["digest"]
    assert message == f"potstill: out-{artifact.address}, content sha256 {digest}"
    assert found.load_line == f'load: {{source: "hub:{NAME}@{revision}"}}'
    for name in artifact.manifest["files"]:
        assert there[name] == (artifact.path / name).read_bytes()


def test_again_with_nothing_changed_uploads_nothing(hub: StandIn, bench: Workbench) -> None:
    artifact = export(bench)
    first = upload(artifact)
    hub.requests.clear()
    again = upload(artifact)
    assert hub.writes() == []
    assert (again.uploaded, again.revision) == (False, first.revision)
    assert set(again.changes.values()) == {"same"}


def test_old_shards_go_and_foreign_files_stay(
    hub: StandIn, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "ROWS_PER_SHARD", 2)
    upload(export(bench))
    repo = hub.repos[KEY]
    repo.add("by hand", {**repo.commits[-1][2], "NOTES.md": b"mine"})
    monkeypatch.setattr(files, "ROWS_PER_SHARD", 10)
    smaller = export(Workbench(bench.root.parent / "other"))
    found = upload(smaller)
    there = repo.commits[-1][2]
    assert found.changes["data/train-00001-of-00002.parquet"] == "removed"
    assert sorted(name for name in there if name.startswith("data/")) == [
        "data/train-00000-of-00001.parquet"
    ]
    assert there["NOTES.md"] == b"mine"


def test_findings_stop_an_upload_unless_they_are_allowed(hub: StandIn, bench: Workbench) -> None:
    artifact = export(bench, "write to jane.doe@" + "gmail.com", "ok")
    found = upload(artifact)
    assert found.refused
    assert found.stopping == {"email": 1}
    assert hub.writes() == []
    assert "jane.doe@" not in json.dumps(found.facts())
    allowed = upload(artifact, allow=frozenset({"email"}))
    assert allowed.uploaded


def test_private_makes_a_private_repository_and_hides_no_public_one(
    hub: StandIn, bench: Workbench
) -> None:
    artifact = export(bench)
    assert upload(artifact, private=True).private
    assert hub.repos[KEY].private
    hub.repos[KEY].private = False
    for really in (False, True):
        with pytest.raises(RequestError, match="is public already"):
            upload(artifact, private=True, really=really)


NO_NAMES = ["ann/a..b", "ann/a--b", "ann/sümß", "ann/x.git", "ann/x.", "ann/x\n", "a/" + "x" * 97]


@pytest.mark.parametrize(
    ("repo", "given", "message"),
    [
        ("sums", {}, "expected OWNER/NAME"),
        ("../x", {}, "expected OWNER/NAME"),
        (NAME, {"allow": frozenset({"emial"})}, "did you mean 'email'"),
        ("bob/sums", {"really": True}, "the token is of 'ann', who does not belong to 'bob'"),
        (NAME, {"really": True, "token_env": "NOPE"}, "NOPE is not set"),
        *((name, {}, "expected OWNER/NAME") for name in NO_NAMES),
    ],
)
def test_wrong_requests(
    hub: StandIn, bench: Workbench, repo: str, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(RequestError, match=re.escape(message)):
        publish(export(bench).path, repo, **given)
    assert hub.writes() == []


@pytest.mark.parametrize(
    "token", [f"{TOKEN}\n", f" {TOKEN}", f'"{TOKEN}"', f"{TOKEN}\r\nX: y", "ü"]
)
@pytest.mark.parametrize("really", [False, True])
def test_a_token_that_is_none_is_never_told(
    hub: StandIn, bench: Workbench, monkeypatch: pytest.MonkeyPatch, token: str, really: bool
) -> None:
    """The client's own error shows the whole header."""
    monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(RequestError, match="HF_TOKEN holds signs that no token has") as raised:
        publish(export(bench).path, NAME, really=really)
    assert TOKEN not in str(raised.value)
    assert hub.requests == []


def test_what_publish_and_verify_call_the_digest_is_one_thing(
    hub: StandIn, bench: Workbench, tmp_path: Path
) -> None:
    found = upload(export(bench))
    for name, data in hub.repos[KEY].commits[-1][2].items():
        (tmp_path / "down" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "down" / name).write_bytes(data)
    (checked,) = verify(tmp_path, [str(tmp_path / "down")]).checked
    assert checked.differences == ()
    assert checked.digest == found.facts()["digest"]


def test_a_public_repository_made_meanwhile_gets_nothing_private(
    hub: StandIn, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def made_by_another(self: Hub, private: bool) -> Remote:
        hub.repos[KEY] = Repo(private=False)
        hub.repos[KEY].add("theirs", {})
        return self.look()

    monkeypatch.setattr(Hub, "create", made_by_another)
    with pytest.raises(RequestError, match="is public already"):
        upload(export(bench), private=True)
    assert hub.writes() == []


def test_an_organisation_of_the_token_will_do(hub: StandIn, bench: Workbench) -> None:
    assert publish(export(bench).path, "lab/sums", really=True).uploaded


def test_a_raw_step_is_refused_with_what_to_export(hub: StandIn, bench: Workbench) -> None:
    raw = bench.samples("chosen", [problem("1+1", "2")])
    with pytest.raises(RequestError, match=r"export: \{samples: chosen\}, and publish that one"):
        publish(raw.path, NAME)


def test_a_folder_that_is_no_step(hub: StandIn, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"holds no manifest.json, so it is no finished step"):
        publish(tmp_path, NAME)


def test_a_changed_file_is_not_uploaded(hub: StandIn, bench: Workbench) -> None:
    artifact = export(bench)
    (artifact.path / "README.md").write_text("changed", encoding="utf-8")
    with pytest.raises(StepFailed, match=r"README.md does not have the sha256"):
        upload(artifact)
    assert hub.requests == []


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "[" * 100_000, '{"files": {}}', '{"files": {"x": {"bytes": 1}}}']
)
def test_a_damaged_manifest_is_not_uploaded(hub: StandIn, bench: Workbench, text: str) -> None:
    artifact = export(bench)
    (artifact.path / "manifest.json").write_text(text, encoding="utf-8")
    with pytest.raises(StepFailed, match=r"manifest\.json cannot be read"):
        upload(artifact)
    assert hub.requests == []


def test_without_the_hub_a_dry_run_shows_the_rest(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    artifact = export(bench)
    facts = publish(artifact.path, NAME).facts()
    assert facts["exists"] is None
    assert {file["change"] for file in facts["files"]} == {"unknown"}
    assert "offline mode is enabled" in facts["why_unknown"]
    with pytest.raises(StepFailed, match="offline mode is enabled"):
        upload(artifact)


FAULTS = [
    ("GET /api/whoami-v2", 401, RequestError, "Check that the token is valid"),
    ("POST /api/repos/create", 403, RequestError, "may write there"),
    ("POST /api/.*/preupload", 403, RequestError, "may write there"),
    ("POST .*/objects/batch", 500, StepFailed, "Run the same command again"),
    ("PUT /lfs/", 500, StepFailed, "Run the same command again"),
    ("PUT /lfs/", "cut", StepFailed, "Run the same command again"),
    ("POST /api/.*/commit/", 409, StepFailed, "was changed meanwhile"),
    ("POST /api/.*/commit/", 500, StepFailed, "nothing was changed there"),
    ("POST /api/.*/commit/", "cut", StepFailed, "nothing was changed there"),
]


@pytest.mark.parametrize(("request_", "what", "error", "message"), FAULTS)
def test_a_fault_leaves_the_old_state_and_the_same_command_goes_on(
    hub: StandIn,
    bench: Workbench,
    request_: str,
    what: int | str,
    error: type[PotstillError],
    message: str,
) -> None:
    if "create" not in request_:
        upload(export(Workbench(bench.root.parent / "before"), "old"))
    before = [commit[0] for commit in hub.repos[KEY].commits] if KEY in hub.repos else []
    artifact = export(bench)
    hub.faults.append(Fault(request_, what))
    with pytest.raises(error, match=re.escape(message)) as raised:
        upload(artifact)
    assert TOKEN not in str(raised.value)
    now = [commit[0] for commit in hub.repos[KEY].commits] if KEY in hub.repos else []
    assert now == before
    hub.faults.clear()
    assert upload(artifact).uploaded


def test_a_connection_cut_after_the_commit_is_not_called_unchanged(
    hub: StandIn, bench: Workbench
) -> None:
    upload(export(Workbench(bench.root.parent / "before"), "old"))
    artifact = export(bench)
    hub.faults.append(Fault("POST /api/.*/commit/", "cut after"))
    with pytest.raises(StepFailed, match="whether the commit was made is not known"):
        upload(artifact)
    hub.faults.clear()
    again = upload(artifact)
    assert (again.uploaded, again.revision) == (False, hub.repos[KEY].commits[-1][0])


def test_a_fault_that_passes_is_tried_again(hub: StandIn, bench: Workbench) -> None:
    hub.faults.append(Fault("PUT /lfs/", 503, times=2))
    assert upload(export(bench)).uploaded


def test_files_that_arrived_are_not_sent_again(hub: StandIn, bench: Workbench) -> None:
    hub.faults.append(Fault("POST /api/.*/commit/", 500))
    artifact = export(bench)
    with pytest.raises(StepFailed):
        upload(artifact)
    hub.faults.clear()
    hub.requests.clear()
    upload(artifact)
    assert not any(request.startswith("PUT") for request in hub.requests)


def test_other_bytes_than_were_sent_are_noticed(hub: StandIn, bench: Workbench) -> None:
    hub.faults.append(Fault("PUT /lfs/", "corrupt"))
    with pytest.raises(StepFailed, match=r"does not hold what was sent: data/train-00000"):
        upload(export(bench))


def test_a_commit_of_somebody_else_in_between_is_not_overwritten(
    hub: StandIn, bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(export(Workbench(bench.root.parent / "before"), "old"))
    repo = hub.repos[KEY]
    monkeypatch.setattr(
        "potstill.stages.publishing.hub.Hub.check_writable",
        lambda _: repo.add("theirs", {**repo.commits[-1][2], "x": b"x"}),
    )
    with pytest.raises(StepFailed, match="was changed meanwhile"):
        upload(export(bench))
    assert repo.commits[-1][1] == "theirs"
