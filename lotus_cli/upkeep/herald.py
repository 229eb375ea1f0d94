"""`lotus herald`: carry messages without a daemon; status, dead letters and their replay, threads of messages."""

import asyncio
import signal
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import click
from msgspec import to_builtins

from lotus.errors import LedgerError
from lotus.names import parse_name
from lotus_cli.terminal.output import emit, explained, json_option
from lotus_cli.terminal.places import SECONDS, at_home, home_option, settings_of
from lotus_cli.terminal.progress import Progress
from lotus_store.databases import Databases

LEGEND = (
    "",
    "served: a Herald holds its outbox now; outbox, inbox: messages not carried yet, not applied yet; oldest s: age of",
    "the oldest of them; retries: deliveries that were put off; dead: letters put aside (`lotus herald dead`);",
    "gaps: numbers of a sender that are missing; unanswered: an answer was asked for and none came within a minute.",
    "Below each module the newest answer to its patches by branch, and its intents: the share delivered, and where to.",
)


@click.group("herald", invoke_without_command=True)
@click.option("--seconds", type=SECONDS, default=0.0, help="Stop after this long (default: at SIGINT or SIGTERM).")
@click.option("--name", default="herald", show_default=True, help="Its name in `lotus network`; one per process.")
@home_option
@json_option
@click.pass_context
@explained
def herald_command(ctx: click.Context, seconds: float, name: str, home: str | None, as_json: bool) -> None:
    """Carry messages between the modules until stopped; beside another Herald it stands by."""
    if ctx.invoked_subcommand is not None:
        return
    from lotus_herald.herald import Herald
    from lotus_herald.keys import Keys

    settings, progress = settings_of(home), Progress(quiet=as_json)
    with Databases(settings) as databases:
        keys = Keys(settings.keys_root)
        herald = Herald(databases.open(), keys, {}, lambda: 0, _now_ms, branch=None, replica=parse_name("herald", name))
        progress("the Herald is up")
        asyncio.run(_until_stopped(herald.run(), seconds))
    emit({"passes": herald.passes}, as_json)


@herald_command.command("status")
@at_home
def status(home: str | None, as_json: bool) -> None:
    """Lag per inbox, success per intent, retries, gaps, dead letters, answers that are missing."""
    from lotus_herald.report import herald_status

    with Databases(settings_of(home)) as databases:
        report = herald_status(databases)
    rows = [
        f"{'module':<7}{'served':<8}{'outbox':>8}{'inbox':>8}{'oldest s':>10}{'retries':>9}  dead, gaps, unanswered"
    ]
    for name, facts in report.items():
        notes = [f"{key} {n}" for part in ("dead", "gaps", "unanswered") for key, n in facts[part].items()]
        served = "yes" if facts["served"] else "no"
        figures = f"{facts['outbox']:>8}{facts['inbox']:>8}{facts['oldest_s']:>10.2f}{facts['retries']:>9}"
        rows.append(f"{name:<7}{served:<8}{figures}  {', '.join(notes) or '-'}")
        for branch, patch in facts["patches"].items():
            outcome = "applied" if patch["applied"] else f"refused ({patch['reason']})"
            rows.append(f"  priors {patch['priors_ver'][:8]} of {patch['day']} on {branch}: {outcome}")
        for intent, counts in facts["intents"].items():
            sent = ", ".join(f"{n} to {target}" for target, n in counts["to"].items()) or "none delivered"
            share = "-" if counts["success"] is None else f"{100 * counts['success']:.1f} %"
            rows.append(f"  {intent:<22}{share:>8}  {sent}")
    emit(report, as_json, "\n".join([*rows, *LEGEND]))


@herald_command.command("dead")
@at_home
def dead(home: str | None, as_json: bool) -> None:
    """List the dead letters of every module with their reasons."""
    from lotus.modules.intents import Module
    from lotus_store.ledger.messages.boxes import dead_letters

    letters = []
    with Databases(settings_of(home)) as databases:
        for module in Module:
            with databases.connect(module.value) as connection:
                for x in dead_letters(connection, module.value):
                    letters.append({"module": module.value, "event_id": x.event_id, "place": x.place,
                                    "reason": x.reason, "detail": x.detail})  # fmt: skip
    lines = [f"{x['module']:<4}{x['event_id']}  {x['place']:<7}{x['reason']:<15}{x['detail'][:120]}" for x in letters]
    emit({"dead": letters}, as_json, "\n".join(lines) or "no dead letters")


@herald_command.command("replay")
@click.argument("event_ids", nargs=-1)
@click.option("--reason", default="", help="Every dead letter of this reason code instead of named ones.")
@at_home
def replay(event_ids: tuple[str, ...], reason: str, home: str | None, as_json: bool) -> None:
    """Make dead letters wait again: those named, or all of one reason."""
    from lotus.modules.intents import Module
    from lotus_store.ledger.messages import boxes

    if bool(event_ids) == bool(reason):
        raise click.UsageError("found neither or both; expected names of messages, or --reason")
    n = 0
    with Databases(settings_of(home)) as databases:
        for module in Module:
            with databases.connect(module.value) as connection:
                for letter in boxes.dead_letters(connection, module.value):
                    if letter.event_id in event_ids or (reason and letter.reason == reason):
                        n += boxes.replay(connection, module.value, letter.event_id, letter.place)
    if event_ids and not n:
        raise LedgerError(f"{', '.join(event_ids)} is no dead letter", "one that `lotus herald dead` lists")
    emit({"replayed": n}, as_json)


@herald_command.command("thread")
@click.argument("lifecycle_id")
@at_home
def thread(lifecycle_id: str, home: str | None, as_json: bool) -> None:
    """Everything said and thought under one LIFECYCLE_ID, oldest first, from the atlas."""
    from lotus_store.ledger.atlas import lifecycle

    with Databases(settings_of(home)) as databases, databases.connect("atlas") as connection:
        rows = lifecycle(connection, lifecycle_id)
    if not rows:
        expected, cause = "the lifecycle of a message that was carried, or of a strand", "its message still waits"
        raise LedgerError(f"nothing in the atlas belongs to {lifecycle_id}", expected, cause)
    lines = [
        f"{x.created_at:%Y-%m-%d %H:%M:%S.%f}  {x.module:<4}{x.kind:<22}{x.status:<10}{x.ref_table}  {x.ref_id}"
        for x in rows
    ]
    emit({"thread": to_builtins(rows)}, as_json, "\n".join(lines))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


async def _until_stopped(job: Coroutine[Any, Any, None], seconds: float) -> None:
    """Run a job until SIGINT, SIGTERM or the end of the time; its own failure is raised."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(job)
    for sign in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sign, task.cancel)
    await asyncio.wait([task], timeout=seconds or None)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
