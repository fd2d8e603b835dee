"""Drawing events: one line for what a step did with a sample, with the numbers behind it.

A bound stands beside the score that met or missed it, once for all steps that ask it. Evidence is
shown where a score is not 1; `--json` has all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rich.text import Text

from .show_rows import evidence_text, score_text, verdict_text
from .terminal import count, number, one_line, percent, safe, value_text


def event_lines(own: Sequence[Mapping[str, Any]]) -> Iterable[Text]:
    """The lines of one step's events; what it took over from other steps is one line."""
    for event in own:
        if not event.get("same_as"):
            yield _DRAWN[event["what"]](event)
    for first in dict.fromkeys(event["same_as"] for event in own if event.get("same_as")):
        names = ", ".join(e["filter"] for e in own if e.get("same_as") == first)
        yield safe(f"{one_line(names)} taken over from {one_line(first)}", "dim")


def _came_in(event: Mapping[str, Any]) -> Text:
    place = f"row {count(event['row'])} of {count(event['rows'])}"
    origin = event["origin"] or {}
    told = [place, origin.get("name") or event["source"], origin.get("revision")]
    told += [f"read as {event['shape']}" if event["shape"] else None, event["license"]]
    return safe(f"{event['kind']}: " + " · ".join(one_line(each) for each in told if each))


def _holds(event: Mapping[str, Any]) -> Text:
    verb = _VERBS.get(event["kind"], "holds it")
    told = [verb if event["copies"] == 1 else f"{verb}, {count(event['copies'])} copies"]
    if event.get("attempt"):
        told.append(_attempt(event["attempt"], event["kind"]))
    if event.get("from"):
        told.append(f"made of {event['from']}")
    if event.get("because"):
        told.append(event["because"])
    if rate := event.get("pass_rate"):
        told.append(f"{rate['right']} of {rate['judged']} samples of its problem are right")
    told += [_part(part) for part in event.get("parts", ())]
    if event.get("tokens") is not None:
        each = " each" if event["copies"] > 1 else ""
        told.append(
            f"{count(event['tokens'])} tokens, {count(event['loss_tokens'])} with loss{each}"
        )
    for name, values in (event.get("beside") or {}).items():
        told.append(f"{name} {', '.join(value_text(value) for value in values)}")
    return safe(" · ".join(one_line(each) for each in told), "green")


_VERBS: Final = {
    "load": "written",
    "reuse": "taken over",
    "generate": "written",
    "evaluate": "written",
    "policy_samples": "written",
    "select": "kept",
    "mix": "mixed in",
    "label": "holds it with a key",
}


def _attempt(attempt: Mapping[str, Any], kind: str) -> str:
    word = "right" if kind == "evaluate" else "accepted"
    accepted = {True: f", {word}", False: f", not {word}"}.get(attempt["accepted"], "")
    tokens = "" if attempt["tokens"] is None else f", {count(attempt['tokens'])} tokens"
    return f"sample {attempt['index'] + 1}: {attempt['finish_reason']}{tokens}{accepted}"


def _part(part: Mapping[str, Any]) -> str:
    weight = "" if part.get("weight") is None else f", weight {number(part['weight'])}"
    share = "" if part.get("share") is None else f", {percent(part['share'])} of it"
    epochs = part.get("epochs")
    rounds = "" if epochs is None else f", {number(epochs)} {'epoch' if epochs == 1 else 'epochs'}"
    return f"part {part['part']}{weight}{rounds}{share}"


def _verdict(event: Mapping[str, Any]) -> Text:
    line = safe(f"{one_line(event['filter'])} ")
    line.append_text(verdict_text(event["score"], event["reason"]))
    for text, style in _uses(event):
        line.append(f"  {one_line(text)}", style)
    if event["score"] is None or event["score"] < 1:  # of good ones --json has it
        line.append(evidence_text(event["evidence"]), "dim")
    return line


def _uses(event: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """`≥ 0.95 (traces, reasoning)`: each bound once, with the steps that ask it."""
    steps: dict[tuple[str, str], list[str]] = {}
    for use in event["uses"]:
        steps.setdefault(_bound(use, event["score"]), []).append(use["step"].rpartition("/")[2])
    for (text, style), names in steps.items():
        yield f"{text} ({', '.join(dict.fromkeys(names))})", style


def _bound(use: Mapping[str, Any], score: float | None) -> tuple[str, str]:
    if use["rule"] in ("reward", "pass_rate"):
        return use["rule"].replace("_", " "), "dim"
    if score is None and use["rule"] != "rejected":
        return ("unknown is kept", "dim") if use["unknown"] == "keep" else ("unknown", "red")
    bound = use["least"] if use["most"] is None else use["most"]
    signs = ("≥", "<") if use["most"] is None else ("≤", ">")
    said = "" if use["rule"] == "keep" else f"{use['rule']} "
    if use["rule"] in ("rejected", "chosen"):
        return f"{said}{signs[0]} {bound:g}: {'yes' if use['met'] else 'no'}", "dim"
    said = "" if use["rule"] in ("keep", "accept", "correct") else said
    digits = _digits(score, bound)
    return f"{said}{digits}{signs[not use['met']]} {bound:g}", "green" if use["met"] else "red"


def _digits(score: float | None, bound: float) -> str:
    """The score again with more digits, where two do not tell it from the bound."""
    if score is None or score == bound or score_text(score) != score_text(bound):
        return ""
    return f"{score!r} "


def _left_out(event: Mapping[str, Any]) -> Text:
    return safe(f"left out: {one_line(event['because'])}", "bold red")


def _stands_for(event: Mapping[str, Any]) -> Text:
    return safe(f"stands for its {one_line(event['reason'])} {one_line(event['id'])}")


def _changed(event: Mapping[str, Any]) -> Text:
    return safe(f"{event['what']}: goes on as {one_line(event['as'])}")


def _trained(event: Mapping[str, Any]) -> Text:
    told = ["in its training data"]
    told += [] if event["copies"] == 1 else [f"{count(event['copies'])} copies"]
    told += [] if event["epochs"] is None else [f"epochs {number(event['epochs'])}"]
    if event["max_steps"]:
        told.append(f"max_steps {count(event['max_steps'])}, which may not have reached it")
    told += [] if not event["max_length"] else [f"max_length {count(event['max_length'])}"]
    if event["tokens"] is not None:
        told.append(f"{count(event['tokens'])} tokens, {count(event['loss_tokens'])} with loss")
    return safe(" · ".join(told), "green")


def _exported(event: Mapping[str, Any]) -> Text:
    split = "" if event["split"] is None else f", split {event['split']}"
    return safe(one_line(f"exported{split}"), "green")


_DRAWN: Final = {
    "came_in": _came_in,
    "holds": _holds,
    "verdict": _verdict,
    "left_out": _left_out,
    "stands_for": _stands_for,
    "labelled": _changed,
    "rewritten": _changed,
    "trained": _trained,
    "exported": _exported,
}
