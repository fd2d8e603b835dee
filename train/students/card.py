"""README.md of a trained model: what it was made from, how, what came out, how to serve it.

Front matter for the hub, then tables of facts: names, settings without what says only how, and the
step's metrics. No clocks, no paths of this machine, so the same inputs give the same card. Names
and settings may come from strangers: they are written as YAML by a library, and as code elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final

from ...pipeline.references import identity_config, reference_kind
from ...pipeline.shards import write_text
from ...pipeline.stage import Stage
from .student import Student

_CARRIED: Final = ("license", "license_name", "license_link")
_LONGEST_FRONT_MATTER: Final = 1 << 16
_COUNTS: Final = ("in", "examples", "tokens", "loss_tokens", "steps", "loss_first", "loss_last")


def write_card(
    out: Path, step: str, stage: Stage, student: Student, metrics: Mapping[str, Any]
) -> None:
    """Write `README.md` beside the weights.

    Args:
        step: `recipe/step`.
        metrics: of the step; `numerics` and counts are shown where they are there.
    """
    adapter = not (out / "config.json").exists()
    parts = [
        _front_matter(stage, student, adapter),
        f"# {_code(step)}\n",
        f"{_code(student.name)}, trained by potstill ({_code(stage.kind)}).\n",
        _table("result", {name: metrics[name] for name in _COUNTS if name in metrics}),
        _table("student", student.facts),
        _scores(metrics),
        _table("numerics", metrics.get("numerics", {})),
        f"## Settings\n\n```json\n{_settings(stage)}\n```\n",
        _serving(student, adapter),
    ]
    write_text(out / "README.md", "\n".join(part for part in parts if part))


def _front_matter(stage: Stage, student: Student, adapter: bool) -> str:
    """YAML that the hub reads; the base's licence is carried over."""
    base = read_front_matter(student.folder / "README.md")
    facts: dict[str, Any] = {name: base[name] for name in _CARRIED if name in base}
    facts["library_name"] = "peft" if adapter else "transformers"
    facts["pipeline_tag"] = "text-generation"
    facts["tags"] = ["potstill", stage.kind]
    if student.name.startswith("hub:"):
        facts["base_model"] = student.base[0]
    elif "base_model" in base:
        facts["base_model"] = base["base_model"]
    if "base_model" in facts:
        facts["base_model_relation"] = "adapter" if adapter else "finetune"
    text = StringIO()
    _yaml().dump(facts, text)
    return f"---\n{text.getvalue()}---\n"


def read_front_matter(file: Path) -> dict[str, Any]:
    """Plain words of a model card's front matter; empty where there is none that can be read."""
    from ruamel.yaml.error import YAMLError

    if not file.exists():
        return {}
    head = file.read_text(encoding="utf-8", errors="replace")[:_LONGEST_FRONT_MATTER]
    before, _, rest = head.partition("---\n")
    text, closed, _ = rest.partition("\n---")
    if before or not closed:
        return {}
    try:
        found = _yaml().load(text)
    except (YAMLError, ValueError, RecursionError):
        return {}
    return {
        name: value
        for name, value in (found.items() if isinstance(found, dict) else ())
        if isinstance(name, str) and _is_words(value)
    }


def _is_words(value: Any) -> bool:
    rows = value if isinstance(value, list) else [value]
    return bool(rows) and all(isinstance(row, str) for row in rows)


def _yaml() -> Any:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    return yaml


def _settings(stage: Stage) -> str:
    """The settings that are identity, as JSON; paths by their last part."""

    def name(reference: str) -> str:
        return Path(reference).name if reference_kind(reference) == "path" else reference

    text = json.dumps(identity_config(stage, name), indent=2, ensure_ascii=False)
    return "\n".join(map(_harmless, text.split("\n")))


def _table(title: str, facts: Mapping[str, Any]) -> str:
    rows = "".join(f"| {name} | {_cell(value)} |\n" for name, value in facts.items())
    return f"| {title} | |\n|---|---|\n{rows}" if facts else ""


def _scores(metrics: Mapping[str, Any]) -> str:
    """The project's judges before and after, where the training was evaluated."""
    before, after = metrics.get("before"), metrics.get("after")
    if not before or not after:
        return ""
    names = [name for name in after if name in before and name != "step"]
    rows = "".join(f"| {name} | {_cell(before[name])} | {_cell(after[name])} |\n" for name in names)
    return f"| evaluated | before | after |\n|---|---|---|\n{rows}"


def _serving(student: Student, adapter: bool) -> str:
    facts = student.facts
    command = "vllm serve ./THIS_FOLDER"
    if adapter:
        command = "vllm serve BASE_MODEL --enable-lora --lora-modules student=./THIS_FOLDER"
    return f"""## Serving

```
{command}
```

The chat template is the one that it was trained with (`chat_template.jinja`); a turn ends with
{_code(facts["end_of_turn"])}, which `generation_config.json` makes generation stop at.
"""


def _cell(value: Any) -> str:
    """Code in a table."""
    return _code(value).replace("|", "\\|")


def _code(value: Any) -> str:
    """A value as one line of code in Markdown, whatever it holds."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"`{_harmless(text) or ' '}`"


def _harmless(text: str) -> str:
    """Without what ends code, and without signs that are not seen, as escapes of JSON."""
    seen = "".join(sign if sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)
    return seen.replace("`", "\\u0060")
