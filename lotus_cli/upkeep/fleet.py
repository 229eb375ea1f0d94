"""`lotus fleet`: workers for Dagster's runs on this machine, what the fleet does, and whether it can."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import Any

import click
import psycopg

from lotus.errors import ConfigError
from lotus_cli.terminal.output import CHECK_FAILED, emit
from lotus_cli.terminal.places import PORT, Finite, at_branch, at_home, settings_of, settings_of_branch
from lotus_cli.terminal.tables import TableColumn, numbers, table
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.postgres.claims import join


@click.group("fleet")
def fleet_command() -> None:
    """Workers that execute Dagster's runs, here or on other machines: start, status, drain, doctor, plan."""


@fleet_command.command("up")
@click.option("--workers", type=click.IntRange(1, 64), help="Workers of this machine [default: fleet.slots].")
@click.option("--redis", type=PORT, help="Also run a broker on this port of 127.0.0.1, for a try on one machine.")
@at_home
def up(workers: int | None, redis: int | None, home: str | None, as_json: bool) -> None:
    """Run workers of one slot each until Ctrl-C; each finishes its run, or gives it back after five minutes."""
    settings = _with_slots(settings_of(home))
    _join(settings)
    with _broker(settings, redis), _dagster(settings) as environment:
        from lotus_resources.fleet.crew import Crew

        stopped: list[int] = []
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda number, _frame: stopped.append(number))
        crew = Crew({**os.environ, **environment}, settings.home / "logs", click.echo)
        with _metrics(settings):
            crew.run(workers or settings.fleet.slots, lambda: bool(stopped))


@fleet_command.command("status")
@at_home
def status(home: str | None, as_json: bool) -> None:
    """Show workers that answer, runs by state, and who of the begun ones holds its lease."""
    settings = _with_slots(settings_of(home))
    with _dagster(settings) as environment:
        from lotus_resources.fleet.broker import celery_app
        from lotus_resources.fleet.state import fleet_facts
        from lotus_resources.provision import instance

        with instance(environment) as opened:
            facts = fleet_facts(opened, celery_app(os.environ))
    emit(facts, as_json, _text(facts))


@fleet_command.command("drain")
@click.argument("worker", nargs=-1)
@at_home
def drain(worker: tuple[str, ...], home: str | None, as_json: bool) -> None:
    """Let workers end after the run that they execute: those named (`lotus fleet status`), or all."""
    _with_slots(settings_of(home))
    _installed()
    from lotus_resources.fleet.broker import celery_app, needed
    from lotus_resources.fleet.state import drain as ask

    with needed():
        asked = ask(celery_app(os.environ), list(worker))
    unknown = sorted(set(worker) - set(asked))
    if unknown:
        raise ConfigError(f"no worker {unknown[0]!r} answers", "one that `lotus fleet status` shows", "it has ended")
    emit({"asked": asked}, as_json, "\n".join(asked) or "no worker answers")


@fleet_command.command("doctor")
@at_home
def doctor(home: str | None, as_json: bool) -> None:
    """Check slots, broker, sessions, clocks, pools and lake, and compare the workers; exit 1 if something is wrong."""
    settings = settings_of(home)
    with _dagster(settings):
        from lotus_resources.fleet.checks import fleet_checks

        checks = fleet_checks(settings)
    emit(checks, as_json)
    raise SystemExit(CHECK_FAILED if any(text.startswith("WRONG") for text in checks.values()) else 0)


@fleet_command.command("plan")
@click.option("--symbols", type=click.IntRange(1, 100_000), required=True, help="Coins.")
@click.option("--years", type=Finite(0.0, 100.0, min_open=True), required=True, help="Of history, around the clock.")
@click.option(
    "--tb-month", type=Finite(0.0), default=23.0, show_default=True, help="USD a terabyte and month (a price list's)."
)
@click.option(
    "--core-hour", type=Finite(0.0), default=0.05, show_default=True, help="USD a core and hour (a price list's)."
)
@at_branch
def plan(
    symbols: int, years: float, tb_month: float, core_hour: float, branch: str | None, home: str | None, as_json: bool
) -> None:
    """Tell what so many coins and years would need, from what the days of this home took."""
    from lotus_assets.catalogue import TAPE_ASSETS
    from lotus_resources.fleet.capacity import capacity, rates_of

    settings = settings_of_branch(home, branch=branch)
    with Databases(settings) as databases, databases.connect("sig") as sig:
        tape_branch = f"tape.{settings.tape}"
        rates = rates_of(settings, sig, tape_branch, {entry.name for entry in TAPE_ASSETS})
    rows = capacity(rates, symbols, years, tb_month, core_hour)
    facts = {"measured": asdict(rates), "symbols": symbols, "years": years, "rows": [asdict(row) for row in rows]}
    emit(facts, as_json, _plan_text(facts))


def _plan_text(facts: dict[str, Any]) -> str:
    of = facts["measured"]
    columns = (TableColumn("what", least=20), *numbers("a day", "in all"), TableColumn("unit"), *numbers("USD"))
    rows = [
        (r["what"], f"{r['a_day']:,.1f}", f"{r['in_all']:,.0f}", r["unit"],
         "" if r["usd"] is None else f"{r['usd']:,.0f}" + (" a month" if r["unit"] == "GB" else ""))
        for r in facts["rows"]
    ]  # fmt: skip
    head = (
        f"{facts['symbols']} coins, {facts['years']:g} years; measured here: {of['coin_hours']:.1f} covered hours "
        f"of tape of {of['coins']} coins, {of['days']} days. Scaled by coins; prices as given."
    )
    return f"{head}\n{table(columns, rows, True)}"


def _join(settings: Settings) -> None:
    """Let a new folder of a worker belong to the home whose databases it is given."""
    if settings.server_dsn:
        databases = Databases(settings, migrated=False)
        with suppress(psycopg.OperationalError), databases, databases.owner("sig", autocommit=True) as connection:
            if join(connection, settings.home):
                click.echo(f"{settings.home} works for the home whose databases these are")


@contextmanager
def _dagster(settings: Settings) -> Iterator[dict[str, str]]:
    """Yield the environment of Dagster's processes, and set its database's address in this one."""
    _installed()
    from lotus_resources.dagster_home import DSN_ENV
    from lotus_resources.provision import provision

    with Databases(settings) as databases:
        environment = provision(settings, databases)
        os.environ[DSN_ENV] = environment[DSN_ENV]
        yield environment


@contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    """Serve the fleet's metrics within a block; without a port nothing is imported for it."""
    port = settings.fleet.metrics_port
    if not port:
        yield
        return
    from lotus_live.reports.metrics_page import metrics_page
    from lotus_resources.fleet.metrics import FleetCollector

    with (
        Databases(settings) as databases,
        metrics_page(port, FleetCollector(settings, databases), "fleet.metrics_port"),
    ):
        click.echo(f"metrics http://127.0.0.1:{port}/metrics")
        yield


@contextmanager
def _broker(settings: Settings, port: int | None) -> Iterator[None]:
    """Run a broker of this command's own where a port is given; its address is set for everything started here."""
    if port is None:
        yield
        return
    _installed()
    from lotus_resources.fleet.broker import BROKER_ENV

    program = shutil.which("redis-server")
    if program is None:
        raise ConfigError("there is no redis-server", "Redis 6.2 or later", "it is not installed")
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--maxmemory-policy", "noeviction", "--dir", str(settings.home)]  # fmt: skip
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        os.environ[BROKER_ENV] = f"redis://127.0.0.1:{port}/0"
        click.echo(f"broker: {BROKER_ENV}={os.environ[BROKER_ENV]}")
        yield
    finally:
        process.terminate()
        process.wait()


def _with_slots(settings: Settings) -> Settings:
    if not settings.fleet.slots:
        raise ConfigError("[fleet] slots is 0", "at least 1 in lotus.toml", "no fleet is set up")
    return settings


def _installed() -> None:
    try:
        import dagster_celery  # noqa: F401
    except ImportError as problem:
        cause = "pip install 'lotus-quant[fleet]'"
        raise ConfigError("dagster-celery is not installed", "the extra `fleet`", cause) from problem


def _text(facts: dict[str, Any]) -> str:
    lines = [f"broker {facts['broker']}, {facts['waiting_in_broker']} messages wait; release {facts['release']}"]
    lines += [f"  {one['worker']}: {'busy' if one['busy'] else 'free'}" for one in facts["workers"]]
    lines += [f"{state}: {count}" for state, count in facts["runs_by_state"].items()]
    for one in facts["runs"]:
        lease = "leased" if one["leased"] else "nobody holds its lease"
        lines.append(f"  {one['run_id']} {one['job']} {one['state']}, {lease}")
    return "\n".join(lines)
