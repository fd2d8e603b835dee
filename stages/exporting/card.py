"""The dataset card of an export: README.md, from the manifests of everything upstream.

    front matter for the hub · what it is · how to load and check it · the steps · sources with
    licences · teachers and sampling · judges · selection · mixture · contents · files · recipe

No clocks, paths or hosts, so the same inputs give the same card. Texts that come from data are
hostile and quoted (markdown.py). What is not known is called unknown; what was not done is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...pipeline.artifact import Artifact
from .contents_sections import contents, decontamination, files, mixtures
from .folder import Folder
from .forms import Form
from .front_matter import front_matter
from .making_sections import graph, judges, licence_note, selections, sources, teachers
from .markdown import code, fenced, number, section, table, to_yaml
from .steps import Steps, config_of, filters_of, steps_before


@dataclass(frozen=True)
class Exported:
    """What a card tells of."""

    step: str
    """`recipe/step`."""
    settings: Mapping[str, Any]
    """Of the export step, as JSON values that are identity."""
    form: Form
    sources: Mapping[str, Artifact]
    """By split."""
    folder: Folder


def dataset_card(exported: Exported) -> str:
    """The whole text."""
    steps = steps_before(exported.sources.values())
    settings = exported.settings
    head = front_matter(
        exported.folder, steps, exported.form.schema, settings["format"], settings["license"]
    )
    parts = (
        f"---\n{to_yaml(head)}---\n",
        _intro(exported),
        section("Load and check", _LOADING),
        section("How it was made", graph(steps)),
        section("Sources and licences", sources(steps), licence_note(settings["license"])),
        section("Teachers", teachers(steps, exported.folder.contents)),
        section("Judges", judges(steps)),
        section("Selection", selections(steps)),
        section("Mixture", mixtures(steps)),
        section("Contents", contents(exported.folder.contents)),
        section("Decontamination", decontamination(steps)),
        section("Files", files(exported.folder.files)),
        section("Recipe", _recipe(exported, steps)),
        section("Versions", _versions(steps)),
    )
    return "\n".join(part for part in parts if part)


_LOADING = """```python
import datasets

datasets.load_dataset("OWNER/NAME_OR_FOLDER")
```

Every file is listed with its sha256 in `manifest.json`. After a download check them with

```
potstill verify FOLDER
```
"""


def _intro(exported: Exported) -> str:
    folder, form = exported.folder, exported.form
    rows = [
        (code(name), number(facts["rows"]), number(facts["problems"]), _from(exported, name))
        for name, facts in folder.splits().items()
    ]
    shared = [
        f"Problems in both {code(names)}: {number(count)}.\n"
        for names, count in folder.account.shared.items()
    ]
    if len(folder.account.rows) > 1 and not shared:
        shared = ["No problem stands in two splits.\n"]
    what = "preference pairs" if form.of_pairs else "rows"
    columns = ", ".join(code(name) for name in form.schema.names)
    return "\n".join(
        [
            f"# {code(exported.step)}\n",
            f"{number(folder.rows)} {what}, written by potstill. Columns: {columns}.\n",
            table(("split", what, "problems", "from step"), rows),
            *shared,
        ]
    )


def _from(exported: Exported, split: str) -> str:
    source = exported.sources.get(split) or next(iter(exported.sources.values()))
    return f"{code(source.step)}, content sha256 {code(source.digest)}"


def _recipe(exported: Exported, steps: Steps) -> str:
    """Settings of all steps as they were resolved, as a recipe is written."""
    filters: dict[str, Any] = {}
    for artifact in steps.all:
        for name, identity in filters_of(artifact).items():
            filters[name] = {"kind": identity["kind"], **identity["config"]}
    recipe, _, name = exported.step.rpartition("/")
    body = {
        "potstill": 1,
        "name": recipe,
        **({"filters": filters} if filters else {}),
        "steps": {
            **{artifact.step: {artifact.kind: config_of(artifact)} for artifact in steps.all},
            name: {"export": dict(exported.settings)},
        },
    }
    return f"{_RESOLVED}\n{fenced(to_yaml(body), 'yaml')}"


_RESOLVED = """With every default written out. `content:…` stands for a file or a model, by the
sha256 of what it holds; what says only how a step was run (engine, address, workers) is left away.
"""


def _versions(steps: Steps) -> str:
    found: dict[str, set[str]] = {}
    for artifact in steps.all:
        for name, version in artifact.manifest.get("versions", {}).items():
            found.setdefault(name, set()).add(version)
    rows = (
        (code(name), ", ".join(map(code, sorted(each)))) for name, each in sorted(found.items())
    )
    return table(("library", "version"), rows)
