"""The card of a trained model, completed with what is known only after its training.

The training wrote README.md (student, settings, losses). Before it is published the run's
evaluations of this model and of its base are added, and what it was trained on with the licences.
What is not known is called unknown; nothing that stands in the card is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ...pipeline.artifact import MANIFEST, Artifact
from ...pipeline.errors import RequestError, StepFailed
from ...pipeline.manifest_form import read_manifest
from ..exporting.licences import UNKNOWN
from ..exporting.making_sections import graph, sources
from ..exporting.markdown import code, number, section, table, to_yaml
from ..exporting.steps import Steps, config_of, inputs_of, steps_before

_FIRST: Final = ("pass@1", "pass@1_se", "n_problems", "n_samples", "unjudged")
_CHECK: Final = """Every file is listed with its sha256 in `manifest.json`, and the manifests of the
steps before it lie in `provenance/`. After a download check them with `potstill verify FOLDER`.
"""


def model_card(artifact: Artifact) -> str:
    """README.md of a model's folder, completed.

    Raises:
        RequestError: the folder has no README.md, or its front matter cannot be read.
    """
    file = artifact.path / "README.md"
    if not file.is_file():
        raise RequestError(f"{artifact.path} has no README.md; train it again with this potstill")
    head, body = _parted(file.read_text(encoding="utf-8"), artifact)
    steps = steps_before([artifact])
    parts = (
        f"---\n{to_yaml(_completed(head, steps))}---\n",
        body.strip("\n") + "\n",
        section("Evaluation", _evaluations(artifact)),
        section("Made from", graph(steps), sources(steps)),
        section("Check", _CHECK),
    )
    return "\n".join(part for part in parts if part)


def _parted(text: str, artifact: Artifact) -> tuple[dict[str, Any], str]:
    """Front matter and what follows it."""
    before, _, rest = text.partition("---\n")
    head, closed, body = rest.partition("\n---\n")
    if before or not closed:
        return {}, text
    try:
        found = YAML(typ="safe", pure=True).load(head)
    except (YAMLError, ValueError) as error:
        raise RequestError(f"README.md of step {artifact.step!r}: {error}") from error
    if not isinstance(found, dict):
        raise RequestError(f"README.md of step {artifact.step!r}: its front matter is no mapping")
    return found, body


def _completed(head: Mapping[str, Any], steps: Steps) -> dict[str, Any]:
    origins = [artifact.metrics.get("origin") or {} for artifact in steps.of_kind("load")]
    hub = {str(each["name"]).removeprefix("hub:") for each in origins if each.get("kind") == "hub"}
    data = {"datasets": sorted(hub)} if hub else {}
    return {"license": UNKNOWN, **head, **data}


def _evaluations(artifact: Artifact) -> str:
    """Of this model and of the one that it was trained from, in the same run."""
    found = list(_evaluated(artifact))
    if not found:
        return "No evaluate step of its run names this model.\n"
    known = {name for _, manifest in found for name in manifest["metrics"]}
    names = [name for name in _FIRST if name in known]
    names += sorted(name for name in known if name.startswith("rate/"))
    rows = []
    for who, manifest in found:
        scores = (number(manifest["metrics"].get(name)) for name in names)
        problems = code(manifest["identity"]["config"].get("problems"))
        rows.append((code(manifest["step"]), who, problems, *scores))
    return table(("step", "model", "problems", *map(code, names)), rows)


def _evaluated(artifact: Artifact) -> Iterator[tuple[str, Mapping[str, Any]]]:
    base = config_of(artifact).get("model")
    for file in sorted(artifact.path.parent.glob(f"*/{MANIFEST}")):
        manifest = _manifest(file)
        identity = manifest["identity"]
        if identity["kind"] != "evaluate":
            continue
        model = identity["config"]["model"]
        if identity["inputs"].get(artifact.step) == artifact.address and model == artifact.step:
            yield "this model", manifest
        elif model == base and identity["inputs"].get(base) == inputs_of(artifact).get(base):
            yield "its base", manifest


def _manifest(file: Path) -> dict[str, Any]:
    """It may be of an evaluation of this model, so one that cannot be read is not passed over."""
    try:
        return read_manifest(file)
    except ValueError as error:
        raise StepFailed(
            f"{file} cannot be read: {error}. Remove {file.parent} and run the recipe again, so "
            "that the card can name every evaluation"
        ) from error
