"""`lotus segments`: the list of segments in force, and those before it."""

from typing import Any

import click

from lotus.detectors.daily.segment_set import SegmentSet
from lotus.priors.segment_context import has_segments
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import DAY, at_branch, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, numbers, table, wide_option
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs.segments import segment_sets

FLAGS = (TableColumn("coin"), TableColumn("segment"), *numbers("share"), TableColumn("flag"))
LISTS = (TableColumn("from"), TableColumn("made on"), TableColumn("origin"), *numbers("states", "agreement"),
         TableColumn("list"))  # fmt: skip


@click.command("segments")
@click.option("--day", type=DAY, help="The list in force on a day; without it the newest.")
@wide_option
@at_branch
def segments_command(day: str | None, wide: bool, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the list of segments in force, with every list of the branch, and whether segments are context."""
    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        lists = segment_sets(sig, settings.branch)
    held = [one for one in lists if day is None or one.from_day <= day]
    now, is_context = held[-1] if held else None, has_segments(settings.manifest)
    facts = {
        "segment_context": is_context, "in_force": None if now is None else _facts(now),
        "lists": [_facts(one) for one in lists],
    }  # fmt: skip
    emit(facts, as_json, _text(now, lists, is_context, wide))


def _facts(one: SegmentSet) -> dict[str, Any]:
    return {
        "from_day": one.from_day, "judged_day": one.judged_day, "set_ver": one.set_ver, "origin": one.origin,
        "states": one.states, "bic": list(one.bic), "agreement": one.agreement, "shares": list(one.shares),
        "texts": {name: list(own) for name, own in zip(one.assets, one.texts, strict=True)},
    }  # fmt: skip


def _text(now: SegmentSet | None, lists: list[SegmentSet], is_context: bool, wide: bool) -> str:
    switch = "Segments are context of rules." if is_context else "Segments are no context (learning.segment_context)."
    if now is None:
        return f"{switch}\nNo list is in force: one is made on Mondays while they are context."
    flags = [
        (name, str(k), f"{now.shares[k]:.3f}", text)
        for name, own in zip(now.assets, now.texts, strict=True)
        for k, text in enumerate(own)
    ]
    rows = [(x.from_day, x.judged_day, x.origin, str(x.states), f"{x.agreement:.3f}", x.set_ver[:12]) for x in lists]
    head = f"List {now.set_ver[:12]} holds from {now.from_day} on; the first flag that is true is the label."
    return "\n".join([switch, head, "", table(FLAGS, flags, wide), "", table(LISTS, rows, wide)])
