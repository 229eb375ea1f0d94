"""`lotus priors`: the versions of a module's beliefs on a branch, one of them in full, and the way back to any."""

from collections.abc import Mapping, Sequence
from typing import Any

import click
import msgspec

from lotus.modules.intents import Module
from lotus.priors.segment_context import rule_words
from lotus.priors.trace import describe_braid
from lotus.priors.types import ActiveBraid, PriorsVersion
from lotus.priors.vocabulary import Vocabulary
from lotus.weave.braid import Braid
from lotus.weave.review import ReviewAct
from lotus_cli.explain.command import realised_words
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import NAME, at_branch, module_option, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, table, wide_option
from lotus_herald.keys import Keys
from lotus_modules.priors.rollback import roll_back
from lotus_store.databases import Connection, Databases
from lotus_store.facts.braids import gate_words
from lotus_store.facts.words import clock
from lotus_store.ledger.beliefs.braids import read_braid
from lotus_store.ledger.beliefs.knob_nights import read_registry
from lotus_store.ledger.beliefs.priors import read_version, swaps, versions


@click.group("priors")
def priors_command() -> None:
    """Versions of what is believed: list, show, roll back."""


@priors_command.command("list")
@module_option
@wide_option
@at_branch
def list_versions(module: str, wide: bool, branch: str | None, home: str | None, as_json: bool) -> None:
    """List every version of a branch in the order of their times, and from when each is or was in force."""
    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect(module) as own:
        stored = versions(own, settings.branch, module)
        since = {name: since_ms for since_ms, name in swaps(own, settings.branch, module, in_force=module == "sig")}
    words = rule_words(settings.manifest)
    rows = [
        {
            "priors_ver": v.priors_ver,
            "day": day,
            "parent": parent,
            "effective_from_ms": v.effective_from_ms,
            "effective_from": clock(v.effective_from_ms),
            "braids": len(v.braids),
            "rules": [f"{b.detector_id}: {describe_braid(b, words)}" for b in v.braids],
            "in_force": v.priors_ver in since,
        }
        for v, day, parent in stored
    ]
    facts = {"branch": settings.branch, "module": module, "versions": rows}
    emit(facts, as_json, _list(rows, wide) if rows else "no version but the genesis one")


@priors_command.command("show")
@click.argument("priors_ver")
@module_option
@at_branch
def show(priors_ver: str, module: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the braids of one version, and what the braid registry says of each now."""
    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect(module) as own:
        version = read_version(own, settings.branch, priors_ver, module)
        rows = _rows(own, module, version)
    now = {row.braid_id: _now(row) for row in rows}
    emit(
        {**msgspec.to_builtins(version), "board": now},
        as_json,
        _text(version, now, rule_words(settings.manifest)),
    )


@priors_command.command("rollback")
@click.argument("priors_ver")
@click.option("--author", type=NAME, required=True, help="Who speaks.")
@click.option("--note", default="", help="Free text, kept with the act.")
@module_option
@at_branch
def rollback(
    priors_ver: str, author: str, note: str, module: str, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Put a new version in force whose braids are those of PRIORS_VER; the next nightly run goes on from there."""
    settings = settings_of_branch(home, branch=branch)
    act = ReviewAct(
        act_id="",
        branch=settings.branch,
        asof_day="",
        kind="rollback",
        target=priors_ver,
        author=author,
        reason_code="",
        note=note,
    )
    with Databases(settings) as databases:
        version = roll_back(databases, act, Keys(settings.keys_root), Module(module))
    facts: dict[str, Any] = {
        "priors_ver": version.priors_ver,
        "content_of": priors_ver,
        "effective_from_ms": version.effective_from_ms,
        "braids": len(version.braids),
        "module": module,
    }
    emit(facts, as_json)


def _list(rows: Sequence[Mapping[str, Any]], wide: bool) -> str:
    columns = (TableColumn("version"), TableColumn("from, UTC"), TableColumn("believes", least=20),
               TableColumn("learned on"), TableColumn("parent"))  # fmt: skip
    return table(
        columns,
        [
            (
                r["priors_ver"],
                r["effective_from"][:16].replace("T", " ") + ("" if r["in_force"] else " (never in force)"),
                "; ".join(r["rules"]) or "nothing",
                r["day"],
                r["parent"],
            )
            for r in rows
        ],
        wide,
    )


def _rows(own: Connection, module: str, version: PriorsVersion) -> list[Braid]:
    """Return what the braid registry says now of a version's braids."""
    names = [braid.braid_id for braid in version.braids]
    if module == Module.SIG:
        return [row for row in (read_braid(own, name) for name in names) if row is not None]
    return [row for row in read_registry(own, module, version.branch) if row.braid_id in names]


def _moved(braid: ActiveBraid) -> str:
    """Return what a braid moves: knobs for dm and tr, threshold and weight for sig."""
    patch = braid.patch
    knobs = ", ".join(f"{knob.key} x{knob.mult:.4f}" for knob in patch.knobs)
    level = f", level {braid.level}" if braid.level else ""
    return knobs or f"theta {patch.theta_delta:+.4f}, phi x{patch.phi_mult:.4f}{gate_words(patch)}{level}"


def _now(row: Braid) -> dict[str, Any]:
    return {
        "state": row.state,
        "grade": row.grade,
        "tilt_share": row.tilt_share,
        "delta_realised": list(row.delta_realised),
        "claimed_gain_bps": row.claimed_gain_bps,
    }


def _text(version: PriorsVersion, now: Mapping[str, Mapping[str, Any]], words: Vocabulary) -> str:
    lines = [f"{version.priors_ver} on {version.branch}, from {clock(version.effective_from_ms)}"]
    for b in version.braids:
        lines.append(
            f"  {b.braid_id}  {b.braid_type:<5} {b.detector_id}: {describe_braid(b, words)}; "
            f"{_moved(b)}, until {clock(b.expires_at_ms)}"
        )
        if any(now.get(b.braid_id, {}).get("delta_realised", ())):
            row = now[b.braid_id]
            lines.append(f"      now {row['state']}, grade {row['grade']}, {realised_words(row)}")
    return "\n".join(lines)
