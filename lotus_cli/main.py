"""The `lotus` command: its groups and the lazy loading of their modules, so that `lotus --help` answers at once.

Each command stands in a file of its own under `lotus_cli`; nothing is computed here.
"""

import gc
import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from lotus_cli.terminal.output import tell_interrupted, tell_refusal
from lotus_store.build import VERSION
from lotus_store.private import private_process

COMMANDS = {
    "arm": ("lotus_cli.desk.arm", "Allow real orders in an account: every check, what is at risk, a typed sentence."),
    "atoms": ("lotus_cli.look.atoms", "Sums of scored days: show them, compact old ones."),
    "backfill": ("lotus_cli.backfill", "Walk days in order through Dagster: tape to tomorrow's priors."),
    "backup": ("lotus_cli.upkeep.ledger", "Write every ledger into one archive."),
    "breed": ("lotus_cli.breed.command", "Search for detectors; every candidate tried is charged for good."),
    "brief": ("lotus_cli.look.brief", "The day on a page: beliefs, refusals, money, data, what waits for somebody."),
    "candidates": ("lotus_cli.breed.candidates", "Bred candidates: which may enter, why others were refused, files."),
    "card": ("lotus_cli.look.card", "Show a detector: what it is, its parameters, its horizon."),
    "compute": ("lotus_cli.look.compute", "What micro-experts cost and were worth, and which are computed."),
    "console": ("lotus_cli.look.console", "Pages: what is believed and why, what was refused, live state, acts."),
    "curate": ("lotus_cli.look.curate", "Acts on detectors and coins: nudge, veto, lift, and what is in force."),
    "db": ("lotus_cli.upkeep.ledger", "Databases: migrate, check."),
    "demo": ("lotus_cli.demo.command", "One small world from tape to live priors, with a one-page report."),
    "detector": ("lotus_cli.look.detector", "Detectors are files: new, check, list."),
    "dm": (
        "lotus_cli.desk.dm",
        "The decision-maker: what scores are worth, how promises were kept; hints to it.",
    ),
    "doctor": ("lotus_cli.upkeep.doctor", "Check the installation, the databases and the folders."),
    "exchange": ("lotus_cli.desk.exchange", "A venue on loopback over a tape, with real matching; test money only."),
    "experiments": ("lotus_cli.govern.experiments", "What was run, with what, and what came of it."),
    "explain": ("lotus_cli.explain.command", "The way from a number back to raw frames."),
    "explore": ("lotus_cli.govern.explore", "How far each detector explores, and what that costs; hold one."),
    "export": ("lotus_cli.export.command", "Write the lessons in force as a module for a bot of your own."),
    "fleet": ("lotus_cli.upkeep.fleet", "Workers for Dagster's runs, here or elsewhere: up, status, drain, doctor."),
    "fixtures": ("lotus_cli.upkeep.fixtures", "Check the frozen fixtures, or make them again."),
    "herald": (
        "lotus_cli.upkeep.herald",
        "Carry messages between the modules: run, status, dead letters, replay, threads.",
    ),
    "import": ("lotus_cli.tape", "Import a recording or the venue's archive as a tape."),
    "import-log": ("lotus_cli.import_log.command", "Turn the log of a bot into events for lotus learn."),
    "keys": ("lotus_cli.upkeep.keys", "Signing keys of the modules: list, create, rotate."),
    "kill": ("lotus_cli.desk.kill", "The kill switch: open nothing any more, and with --flatten leave every position."),
    "ladder": ("lotus_cli.govern.ladder", "Who stands on which rung of evidence, and what the next one needs."),
    "learn": ("lotus_cli.learn.command", "Lessons from your own signals in CSV or Parquet, with a report."),
    "lessons": ("lotus_cli.look.lessons", "What is believed after a nightly run and why, and what was refused."),
    "live": ("lotus_cli.desk.live", "Run the daemon on the venue, or on a recorded tape over a real websocket."),
    "llm": ("lotus_cli.govern.llm", "A model that proposes detectors: what it is asked, one request, calls, budget."),
    "modules": ("lotus_cli.upkeep.modules", "Manifests of the modules: what differs, pages and schemas."),
    "network": (
        "lotus_cli.upkeep.network",
        "Processes that serve the modules: health, measured strength, who is dead.",
    ),
    "pnl": ("lotus_cli.pnl.command", "Profit and loss by detector: gross, costs, net, intervals, what was not scored."),
    "priors": ("lotus_cli.look.priors", "Versions of what is believed: list, show, roll back."),
    "record": ("lotus_cli.desk.live", "Record a websocket into a tape."),
    "replay": ("lotus_cli.desk.live", "Serve a recorded tape over a loopback websocket, as the venue would."),
    "restore": ("lotus_cli.upkeep.ledger", "Restore every ledger from an archive into empty databases."),
    "review": (
        "lotus_cli.look.review",
        "The braid registry: list, approve, reject, extend, attenuate, raise, freeze, lower.",
    ),
    "sanity": ("lotus_cli.look.sanity", "How every series went with the moves after it, losers included."),
    "segments": ("lotus_cli.look.segments", "Segments of the market: the list in force, those before it."),
    "signal": ("lotus_cli.look.signal", "Print what an event puts on the signal bus, checked against its schema."),
    "sql": ("lotus_cli.look.sql", "Ask the lake and the ledgers in SQL; nothing can be written."),
    "tape": ("lotus_cli.tape", "List tapes; delete days that retention lets go."),
    "trade": ("lotus_cli.desk.trade", "The trader: how good its predictions of fills, slippage and latency were."),
    "trigger": ("lotus_cli.desk.trigger", "Conditions of entry as text: check one."),
    "up": ("lotus_cli.up", "Everything at once: PostgreSQL, Dagster's pages and daemon; one Ctrl-C stops all."),
    "watchdog": ("lotus_cli.desk.watchdog", "Act at the venue when the daemon cannot; --status says whether one does."),
    "verify": ("lotus_cli.upkeep.verify", "Verify parity, a tape, or the ledgers."),
    "what-if": ("lotus_cli.govern.what_if", "What a change would have been worth, by the log and on the tape."),
    "warm": ("lotus_cli.upkeep.warm", "Fill the kernel cache, so that nothing compiles in a live loop."),
}


GROUPS = {
    "Begin": ("doctor", "demo", "up", "learn"),
    "Look": (
        "console",
        "brief",
        "lessons",
        "explain",
        "pnl",
        "priors",
        "review",
        "curate",
        "experiments",
        "sanity",
        "card",
        "segments",
        "signal",
        "sql",
    ),
    "Learn": (
        "backfill",
        "detector",
        "breed",
        "candidates",
        "what-if",
        "explore",
        "compute",
        "ladder",
        "llm",
        "atoms",
        "export",
        "import-log",
    ),
    "Tape": ("record", "import", "replay", "tape", "verify"),
    "Run and trade": ("live", "exchange", "arm", "kill", "watchdog", "dm", "trade", "trigger"),
    "Upkeep": ("backup", "restore", "db", "herald", "network", "fleet", "modules", "keys", "fixtures", "warm"),
}


@contextmanager
def _uncollected() -> Iterator[None]:
    """Import without looking for garbage again and again in what stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class LazyGroup(click.Group):
    """A group that imports a command's module only when that command is called."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program; help that cannot be written is told as any other refusal."""
        try:
            return super().main(*args, **kwargs)
        except OSError as error:
            tell_refusal(error)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; Ctrl-C or a refusal while its modules are still imported ends as it does later."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            tell_interrupted(error)
        except (OSError, MemoryError, ImportError) as error:
            tell_refusal(error)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        with _uncollected():
            module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        for title, names in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl([(name, COMMANDS[name][1]) for name in names])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(VERSION)
def main() -> None:
    """Lotus: lessons from crypto perpetuals that survive honest statistics.

    Exit codes: 0 done; 1 a check does not hold; 2 wrong usage; 3 an error that is explained;
    4 more than 1 % of a tape's lines cannot be used; 130 interrupted; 141 nobody reads the output.
    """
    click.get_current_context().with_resource(private_process())
