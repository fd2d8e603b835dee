"""From the words of a command line to the settings of a step.

    --epochs 3 --no-packing --lora --trackers tensorboard,wandb --rewards math=1,format=0.2

A value is YAML as in a recipe. A list takes commas or several options, a mapping `NAME=VALUE`
pairs, and both take JSON. A switch and a group of fields need no value: `--lora` is the group with
its defaults. Only the shape is made here; whether a value fits is told by the recipe's check.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ..pipeline.errors import RequestError
from ..pipeline.suggest import suggest
from .options import Option

_WITHOUT_VALUE: Final = {"boolean": "true", "group": "{}"}


def settings_of(
    words: Sequence[str], options: Sequence[Option], assignments: Iterable[str] = ()
) -> dict[str, Any]:
    """The settings that words such as `--lora.r 8` give a step.

    Args:
        assignments: `lora.r=8`, as for `--set` of a recipe; they come last.

    Raises:
        RequestError: an option that is no field, with the closest one; a word that is no option;
            an option without its value.
    """
    known = {option.flag: option for option in options}
    settings: dict[str, Any] = {}
    for flag, text in _pairs(words, known):
        option, below = _find(flag, known)
        if text is None:
            raise RequestError(f"{flag} needs a value: {option.type}")
        value = _scalar(text) if below else _value(option, text)
        _put(settings, (*option.path, *below), value)
    for assignment in assignments:
        _put(settings, *_assigned(assignment))
    return settings


def _put(settings: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a value at any depth; lists and mappings that stand there already grow."""
    *parents, last = path
    holder = settings
    for part in parents:
        if not isinstance(holder.get(part), dict):
            holder[part] = {}
        holder = holder[part]
    before = holder.get(last)
    if isinstance(before, dict) and isinstance(value, dict):
        value = {**before, **value}
    elif isinstance(before, list) and isinstance(value, list):
        value = [*before, *value]
    holder[last] = value


def _assigned(text: str) -> tuple[list[str], Any]:
    """Path and value of `FIELD=VALUE`."""
    field, equals, value = text.partition("=")
    path = field.split(".")
    if not equals or not all(path):
        raise RequestError(f"--set {text!r}: expected FIELD=VALUE, such as epochs=3 or lora.r=8")
    return path, _scalar(value)


def _pairs(words: Sequence[str], known: Mapping[str, Option]) -> Iterator[tuple[str, str | None]]:
    """Each option with the text of its value; None where there has to be one and is none."""
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise RequestError(f"unexpected {word!r}: options begin with --, such as --epochs 3")
        flag, equals, text = word.partition("=")
        positive = known.get(f"--{flag.removeprefix('--no-')}")
        if flag not in known and positive is not None and "boolean" in positive.kinds:
            yield positive.flag, "false"
        elif equals:
            yield flag, text
        elif rest and not rest[0].startswith("--"):
            yield flag, rest.pop(0)
        else:
            yield flag, _without_value(known.get(flag))


def _without_value(option: Option | None) -> str | None:
    kinds = () if option is None else option.kinds
    return next((text for kind, text in _WITHOUT_VALUE.items() if kind in kinds), None)


def _find(flag: str, known: Mapping[str, Option]) -> tuple[Option, list[str]]:
    """The option, and the names below it where it is a mapping (`--rewards.math 1`)."""
    above, below = flag.replace("_", "-"), []
    if above in known:
        return known[above], []
    names = flag.split(".")
    for depth in range(len(names) - 1, 0, -1):
        above, below = ".".join(names[:depth]).replace("_", "-"), names[depth:]
        if above in known and "mapping" in known[above].kinds:
            return known[above], below
    beside = [each for each in known if each.count(".") == flag.count(".")]
    raise RequestError(f"no option {flag}; {suggest(flag, beside)}")


def _value(option: Option, text: str) -> Any:
    kinds = option.kinds
    if kinds == {"string"} or (kinds == {"string", "null"} and text != "null"):
        return text
    if text.startswith(("{", "[")):
        return _scalar(text)
    word = option.words is None or text in option.words or text == "null"
    if "array" in kinds and ("," in text or not word):
        return [_scalar(part) for part in text.split(",") if part]
    if "mapping" in kinds and "=" in text:
        pairs = (part.partition("=") for part in text.split(",") if part)
        return {name: _scalar(value) for name, _, value in pairs}
    return _scalar(text)


def _scalar(text: str) -> Any:
    """YAML 1.2, of which JSON is a part; what is no YAML, such as `@x`, is a text."""
    with contextlib.suppress(YAMLError):
        return YAML(typ="safe", pure=True).load(text)
    return text
