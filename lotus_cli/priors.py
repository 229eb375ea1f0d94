"""`lotus priors`: the versions of the beliefs of a branch, one of them in full, and the way back to any of them."""

from collections.abc import Mapping
from typing import Any

import click
import msgspec

from lotus.priors.trace import describe_braid
from lotus.priors.types import PriorsVersion
from lotus.weave.braid import Braid
from lotus.weave.review import ReviewAct
from lotus_cli.explain import realised_words
from lotus_cli.output import emit, explained, json_option
from lotus_cli.places import branch_option, home_option, settings_of
from lotus_herald.keys import Keys
from lotus_herald.rollback import roll_back
from lotus_store.databases import Databases
from lotus_store.ledger.braids import read_braid
from lotus_store.ledger.priors import read_version, swaps, versions


@click.group("priors")
def priors_command() -> None:
    """Versions of what is believed: list, show, roll back."""


@priors_command.command("list")
@branch_option
@home_option
@json_option
@explained
def list_versions(branch: str | None, home: str | None, as_json: bool) -> None:
    """List every version of a branch in the order of their times, and from when each is or was in force."""
    settings = settings_of(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        known = versions(sig, settings.branch)
        since = {name: at for at, name in swaps(sig, settings.branch)}
    rows = [
        {
            "priors_ver": v.priors_ver,
            "day": day,
            "parent": parent,
            "effective_from_ms": v.effective_from_ms,
            "braids": len(v.braids),
            "in_force": v.priors_ver in since,
        }
        for v, day, parent in known
    ]
    lines = [
        f"{r['priors_ver']}  learned on {r['day']}, from {r['effective_from_ms']}, {r['braids']} braids"
        + ("" if r["in_force"] else "  (never in force)")
        for r in rows
    ]
    emit({"branch": settings.branch, "versions": rows}, as_json, "\n".join(lines) or "no version but the genesis one")


@priors_command.command("show")
@click.argument("priors_ver")
@branch_option
@home_option
@json_option
@explained
def show(priors_ver: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Show the braids of one version, and what the board says of each now."""
    settings = settings_of(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        version = read_version(sig, settings.branch, priors_ver)
        rows = [read_braid(sig, braid.braid_id) for braid in version.braids]
    now = {row.braid_id: _now(row) for row in rows if row is not None}
    emit({**msgspec.to_builtins(version), "board": now}, as_json, _text(version, now))


@priors_command.command("rollback")
@click.argument("priors_ver")
@click.option("--author", required=True, help="Who speaks.")
@click.option("--note", default="", help="Free text, kept with the act.")
@branch_option
@home_option
@json_option
@explained
def rollback(priors_ver: str, author: str, note: str, branch: str | None, home: str | None, as_json: bool) -> None:
    """Put a new version in force whose braids are those of PRIORS_VER; the next night goes on from there."""
    settings = settings_of(home, branch=branch)
    act = ReviewAct("", settings.branch, "", "rollback", priors_ver, author, "", 1.0, note)
    with Databases(settings) as databases:
        version = roll_back(databases, act, Keys(settings.keys_root))
    told: dict[str, Any] = {
        "priors_ver": version.priors_ver,
        "content_of": priors_ver,
        "effective_from_ms": version.effective_from_ms,
        "braids": len(version.braids),
    }
    emit(told, as_json)


def _now(row: Braid) -> dict[str, Any]:
    return {
        "state": row.state,
        "grade": row.grade,
        "tilt_share": row.tilt_share,
        "delta_realised": list(row.delta_realised),
        "claimed_gain_bps": row.claimed_gain_bps,
    }


def _text(version: PriorsVersion, now: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"{version.priors_ver} on {version.branch}, from {version.effective_from_ms}"]
    for b in version.braids:
        lines.append(
            f"  {b.braid_id}  {b.braid_type:<5} {b.detector_id}: {describe_braid(b)}; "
            f"theta {b.patch.theta_delta:+.4f}, phi x{b.patch.phi_mult:.4f}, until {b.expires_at_ms}"
        )
        if any(now.get(b.braid_id, {}).get("delta_realised", ())):
            row = now[b.braid_id]
            lines.append(f"      now {row['state']}, grade {row['grade']}, {realised_words(row)}")
    return "\n".join(lines)
