"""Drawing what `publish` would do, or did: repository, files, card, findings, and how to go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from rich.console import Console

from .tables import plain_table
from .terminal import count, counted, one_line, print_table, safe, size

_STYLES = {"new": "green", "changed": "yellow", "removed": "red", "same": "dim"}
_MOST_FILES = 40
_MOST_FINDINGS = 5
"""Of each kind; --json tells more."""


class Published(Protocol):
    """What `stages.publishing.publish` returns."""

    def facts(self) -> dict[str, Any]:
        """JSON values."""
        ...


def show_publication(console: Console, found: Published) -> None:
    """The whole on a console."""
    facts = found.facts()
    console.print(safe(_title(facts), "bold"), soft_wrap=True)
    console.print(safe(_repository(facts)), soft_wrap=True)
    console.print()
    _show_files(console, facts["files"])
    digest = one_line(facts["digest"][:16])
    console.print(safe(f"digest {digest}; `potstill verify` of a download shows the same"))
    console.print(safe("\nREADME.md", "bold"))
    for line in facts["card_head"]:
        console.print(safe(f"  {line}", "dim"), soft_wrap=True)
    console.print(safe("  …\n", "dim"))
    _show_findings(console, facts)
    _show_end(console, facts)


def _title(facts: Mapping[str, Any]) -> str:
    what = f"{one_line(facts['step'])}-{one_line(facts['address'])}"
    return f"{what} → {facts['type']} {facts['repository']}"


def _repository(facts: Mapping[str, Any]) -> str:
    kind = "private" if facts["private"] else "public"
    if facts["exists"] is None:
        return f"it is unknown whether the repository exists: {one_line(facts['why_unknown'], 300)}"
    if not facts["exists"] and not facts["uploaded"]:
        return f"the repository does not exist; it would be made, {kind}"
    return f"the repository exists, {kind}"


def _show_files(console: Console, files: list[Mapping[str, Any]]) -> None:
    table = plain_table("file", "size", "change", right=("size",), folds=("file",))
    for file in files[:_MOST_FILES]:
        change = file["change"]
        style = _STYLES.get(change, "")
        table.add_row(safe(one_line(file["name"])), size(file["bytes"]), safe(change, style))
    print_table(console, table)
    if len(files) > _MOST_FILES:
        console.print(f"… and {len(files) - _MOST_FILES:,} more (--json names all)")
    total = sum(file["bytes"] or 0 for file in files)
    send = sum(file["bytes"] or 0 for file in files if file["change"] in ("new", "changed"))
    unknown = any(file["change"] == "unknown" for file in files)
    differ = "how much of it differs is unknown" if unknown else f"{size(send)} differ"
    console.print(f"{counted(len(files), 'file')}, {size(total)}; {differ}")


def _show_findings(console: Console, facts: Mapping[str, Any]) -> None:
    counts, stopping = facts["findings"]["counts"], facts["stopped_by"]
    if not counts:
        console.print("The scan for secrets and addresses found nothing.")
    for kind, number in counts.items():
        state = "stops the upload" if kind in stopping else "does not stop it"
        head = safe(f"{kind}  {count(number)}", "bold red" if kind in stopping else "yellow")
        console.print(head.append(f"  {state}", "dim"), soft_wrap=True)
        of_kind = [each for each in facts["findings"]["examples"] if each["kind"] == kind]
        for each in of_kind[:_MOST_FINDINGS]:
            row = "" if each["row"] is None else f" row {each['row']}"
            column = "" if each["column"] is None else f" {each['column']}"
            line = one_line(f"{each['file']}{row}{column}: {each['excerpt']}", 200)
            console.print(safe(f"  {line}"), soft_wrap=True)


def _show_end(console: Console, facts: Mapping[str, Any]) -> None:
    console.print()
    if facts["refused"]:
        kinds = ",".join(facts["stopped_by"])
        console.print(
            safe("refused", "bold red").append(
                f": leave these rows out, or let them pass with --allow {kinds}"
            ),
            soft_wrap=True,
        )
    elif facts["revision"] is None:
        console.print("Nothing was uploaded. Add --yes to do it.")
    else:
        done = "uploaded" if facts["uploaded"] else "nothing to upload, it is there already"
        console.print(
            safe(f"{done}: {facts['repository']}@{facts['revision']}", "green"), soft_wrap=True
        )
        console.print(safe(facts["load"]), soft_wrap=True)
