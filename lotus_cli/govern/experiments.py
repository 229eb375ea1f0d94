"""`lotus experiments`: what was run on a branch, with what, on which fixtures, and what came of it."""

from typing import Any

import click

from lotus.errors import ConfigError
from lotus_cli.terminal.output import emit
from lotus_cli.terminal.places import COUNT, at_branch, settings_of
from lotus_cli.terminal.tables import TableColumn, numbers, table

SHOWN = 60  # characters of what was asked and found


@click.command("experiments")
@click.argument("run_id", required=False)
@click.option("--kind", help="Only runs of this kind: learn, what-if, fixtures.")
@click.option("--limit", type=COUNT, default=20, show_default=True, help="The newest so many.")
@at_branch
def experiments_command(
    run_id: str | None, kind: str | None, limit: int, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Show the newest runs, or one by its RUN_ID or the beginning of it.

    A run is registered before it begins. Without a result it runs, or was killed: after 24 hours it is lost.
    """
    from lotus_store.databases import Databases
    from lotus_store.ledger.experiment_runs import experiments_named, experiments_run

    settings = settings_of(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        if run_id is None:
            rows = experiments_run(sig, settings.branch, kind, limit)
            emit({"branch": settings.branch, "runs": [_plain(row) for row in rows]}, as_json, _text(rows))
            return
        rows = experiments_named(sig, settings.branch, run_id)
    if len(rows) != 1:
        found = f"{len(rows) or 'no'} runs of branch {settings.branch} begin with {run_id!r}"
        raise ConfigError(found, "one that `lotus experiments` shows", "a misspelt name, or a run of another branch")
    emit(_plain(rows[0]), as_json)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    times = {name: row[name] and row[name].isoformat()[:19] for name in ("started_at", "finished_at")}
    return {**row, **times}


def _text(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Nothing was run yet: `lotus what-if`, `lotus learn --home`, `lotus fixtures verify`"
    columns = (TableColumn("run"), TableColumn("began"), TableColumn("kind"), TableColumn("state"),
               TableColumn("asked", least=20), TableColumn("found", least=20), *numbers("s"))  # fmt: skip
    return table(columns, [_row(row) for row in rows], False)


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    took = "" if row["finished_at"] is None else f"{(row['finished_at'] - row['started_at']).total_seconds():.1f}"
    began = row["started_at"].isoformat()[:16].replace("T", " ")
    return row["run_id"][:12], began, row["kind"], row["status"], _words(row["config"]), _words(row["metrics"]), took


def _words(body: dict[str, Any]) -> str:
    text = ", ".join(f"{name} {value}" for name, value in body.items() if value not in ("", None, [], {}))
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
