"""Wrong usages as data: what is typed, the exit code it ends with, and what must be said.

Generated from the commands themselves where that is sensible, so that a new command, option or argument has its cases
at once; by hand where a case needs a thought. `Case.words` may hold names of `Things` in braces. Nothing is run here.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import click

from lotus_cli.main import main

USAGE, REFUSED, NOT_SO = 2, 3, 1
NO_BRANCH = ("branch nosuch was never scored; expected: one of ", "demo-11")


@dataclass(frozen=True, slots=True)
class Case:
    """One wrong usage: the words after `lotus`, the exit code, fragments of what is said, variables it is run with."""

    words: str
    code: int
    said: tuple[str, ...]
    where: str = ""


def leaves(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, by its full name."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from leaves(found, (*path, name))
        if not command.invoke_without_command:
            return
    yield " ".join(path), command


RIGHT = {
    "arm": "--account x", "backfill": "--from 2026-01-05 --to 2026-01-05", "backup": "{new}",
    "candidates show": "x", "candidates export": "x", "candidates attach": "x y --author me",
    "candidates propose": "{tape}", "candidates veto": "x --author me --why other",
    "curate propose": "x --log 0.01 --author me --reason other", "curate veto": "x --author me --reason other",
    "curate lift": "x --author me --reason other", "curate sign-off": "x --author me --reason other",
    "detector check": "{tape}", "detector new": "mine", "detector use": "{tape}",
    "dm hint": "BTC long --conviction 0.5 --horizon 5m --who me", "dm withdraw": "x", "explain": "x",
    "explore hold": "x --author me --reason other", "fleet plan": "--symbols 5 --years 1",
    "export lessons": "--to python", "fixtures verify": "x", "import-log": "csv {tape}",
    "herald replay": "x", "herald thread": "x", "import": "{tape}", "keys create": "sig", "keys rotate": "sig",
    "learn": "--events {folder}", "live": "--replay {tape}", "priors rollback": "x --author me", "priors show": "x",
    "replay": "{tape}", "restore": "{tape}", "review approve": "x --author me", "review extend": "x --author me",
    "review attenuate": "x --author me --factor 0.5", "review raise-cap": "x --author me --factor 1.05",
    "review reject": "x --author me --reason other", "review freeze": "x --author me --reason other",
    "review lower": "x --author me --reason other", "review lift": "x --author me", "signal": "x",
    "tape rebuild": "--day 2026-01-05",
    "review wish": "BTC --log 0.05 --days 3 --author me --reason other",
    "what-if": "--from 2026-01-05 --to 2026-01-05 --priors none",
    "tape split": "x --shards 2", "watchdog": "--status", "trigger check": "x", "verify parity": "{tape}",
}  # fmt: skip
NO_HOME_NEEDED = {"card", "detector check", "doctor", "import-log", "kill", "learn"}  # cases by hand

NUMBERS = {"minus": "-1", "word": "many", "none": "nan", "endless": "inf"}


def of_every_command() -> dict[str, Case]:
    """Return what can be got wrong with any command: an unknown option, a word too many, one too few, its home."""
    found: dict[str, Case] = {}
    for name, command in leaves():
        right = RIGHT.get(name, "")
        arguments = [p for p in command.params if isinstance(p, click.Argument)]
        found[f"{name}: unknown option"] = Case(f"{name} {right} --nosuch", USAGE, ("No such option", "--nosuch"))
        if all(p.nargs == 1 for p in arguments):
            full = f"{name} {right or 'x ' * len(arguments)}"
            said = (
                ("No such command",) if isinstance(command, click.Group) else ("unexpected extra argument", "toomuch")
            )
            found[f"{name}: a word too many"] = Case(f"{full} toomuch", USAGE, said)
        if any(p.required for p in command.params):
            found[f"{name}: nothing given"] = Case(name, USAGE, ("Missing",))
        if any(p.name == "home" for p in command.params):
            found[f"{name}: a file as --home"] = Case(f"{name} --home {{text}}", USAGE, ("--home", "is a file"))
            if name not in NO_HOME_NEEDED:
                said = ("the home", "is a file; expected: a folder; likely cause: --home, LOTUS_HOME")
                found[f"{name}: a file as home"] = Case(f"{name} {right}", REFUSED, said, "LOTUS_HOME={text}")
            if name not in NO_HOME_NEEDED | {"watchdog"}:  # it goes on with the settings that were kept for it
                said = ("broken cannot be read", "expected: TOML 1.0")
                found[f"{name}: broken settings"] = Case(f"{name} {right}", REFUSED, said, "LOTUS_CONFIG={broken}")
    return found


def of_every_value() -> dict[str, Case]:
    """Return values that no option or argument of its kind can take."""
    found: dict[str, Case] = {}
    for name, command in leaves():
        arguments = [p for p in command.params if isinstance(p, click.Argument)]
        for p in command.params:
            given = p.opts[0] if isinstance(p, click.Option) else "x " * arguments.index(p)
            for what, value in _impossible(p):
                found[f"{name} {p.opts[0]}: {what}"] = Case(f"{name} {given} {value}", USAGE, ("Invalid value",))
    return found


def _impossible(p: click.Parameter) -> Iterator[tuple[str, str]]:
    kind = p.type
    if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
        yield from NUMBERS.items()
    elif isinstance(kind, click.Choice):
        yield "no choice", "nosuch"
    elif isinstance(kind, click.Path):
        if kind.exists:
            yield "not there", "{new}"
        if p.name != "home" and not (kind.dir_okay and kind.file_okay):
            yield "of the other kind", "{folder}" if kind.file_okay else "{text}"
    elif kind.name == "day":
        yield from {"month": "2026-13-01", "form": "20260105", "word": "yesterday"}.items()
    elif kind.name not in ("text", "boolean"):
        yield "word", "nonsense"


TAPE_WANTED = "verify parity", "replay", "exchange --tape", "live --replay"
KINDS_OF_FILE = "empty", "rubbish", "csv", "yaml", "cut"


def of_every_file() -> dict[str, Case]:
    """Return files of a wrong kind wherever one is read."""
    readers = {name: f"{name} {{file}}" for name in TAPE_WANTED}
    readers |= {
        "import": "import {file} --tape t",
        "restore": "restore {file}",
        "detector check": "detector check {file}",
    }
    readers |= {"detector use": "detector use {file} --wait 0", "exchange --faults": "exchange --faults {file}"}
    readers |= {
        "learn --config": "learn --events {folder} --config {file}",
        "learn --events": "learn --events {file.d}",
        "export lessons --events": "export lessons --to json --out {new} --events {file}",
        "import-log freqtrade": "import-log freqtrade {file} --out {new}",
        "import-log randomiser": "import-log randomiser {file} --out {new}",
    }
    found = {
        f"{name}: {kind}": Case(words.replace("{file", f"{{{kind}"), REFUSED, ("lotus: ", "; expected: "))
        for name, words in readers.items()
        for kind in KINDS_OF_FILE
    }
    toml = {
        kind: Case("pnl", REFUSED, ("cannot be read", "TOML"), f"LOTUS_CONFIG={{{kind}}}") for kind in KINDS_OF_FILE[1:]
    }
    return found | {f"lotus.toml: {kind}": case for kind, case in toml.items()}


SETTINGS = {
    "an unknown section": ("[scoer]\nepsilon = 0.1", "unknown key 'scoer'; expected: one of "),
    "an unknown key": ("[trading]\nvenu = 'off'", "unknown key 'venu'; expected: one of "),
    "a value for a section": ("tape = 'live'", "something else under tape; expected: the section [tape]"),
    "a section for a value": ("[branch]\nname = 'x'", "something else under branch; expected: a text"),
    "a text for a number": ("[score]\nepsilon = 'small'", 'score.epsilon is "small"; expected: a number'),
    "a list for a number": ("[score]\nepsilon = [1, 2]", "score.epsilon is [1, 2]; expected: a number"),
    "a table for a text": ("[trading]\nvenue = { a = 1 }", 'trading.venue is {"a": 1}; expected: a text in quotes'),
    "a number for a text": ("[trading]\nvenue = 3", "trading.venue is 3; expected: a text in quotes"),
    "a number for a name": ("branch = 3", "is no text; expected: a name in quotes"),
    "out of range": ("[trading]\nleverage = 99", "trading.leverage is 99; expected: 1 to 50"),
    "no number": ("[score]\nepsilon = nan", "expected: a finite number"),
    "an unknown venue": ("[trading]\nvenue = 'moon'", "expected: one of off, paper, local, hyperliquid"),
    "a coin of another form": (
        "[universe]\nassets = [{ nam = 'BTC' }]",
        'has the entry {"nam": "BTC"}; expected: { name',
    ),
    "no coin": ("[universe]\nassets = []", "universe.assets is empty"),
    "an unknown mode of a model": ("[llm]\nmode = 'on'", "llm.mode is 'on'; expected: one of off, live"),
    "an address that is none": ("[ledger]\ndsn = 'nonsense'", "the address of the whole server cannot be read"),
}


def of_settings() -> dict[str, Case]:
    """Return mistakes in lotus.toml."""
    return {
        f"lotus.toml: {name}": Case("pnl", REFUSED, (said,), f"TOML={text}") for name, (text, said) in SETTINGS.items()
    }


ON = "--tape demo-11 --branch demo-11"
BY_HAND = {
    "no such command": Case("nonsense", USAGE, ("No such command 'nonsense'",)),
    "no such subcommand": Case("detector nonsense", USAGE, ("No such command 'nonsense'",)),
    "one end of a range of days": Case("backfill --from 2026-01-05", USAGE, ("Missing option '--to'",)),
    "a shard beyond the last": Case("record --shard 3/3", USAGE, ("expected K/N, K from 0 to N - 1",)),
    "a shard of none": Case("record --shard 0/0", USAGE, ("expected K/N",)),
    "one shard": Case("tape split x --shards 1", USAGE, ("Invalid value", "2<=x<=64")),
    "a tape to split that is not there": Case("tape split nosuch --shards 2", REFUSED, ("no tape 'nosuch'",)),
    "a day and a range": Case(f"pnl {ON} --day 2026-01-05 --to 2026-01-06", USAGE, ("--day stands alone",)),
    "live and a stored day": Case("up --live --trade-day 2026-01-08", USAGE, ("not both",)),
    "a shard that is none": Case("live --shard 2/2", USAGE, ("expected K/N, K from 0 to N - 1",)),
    "a desk of a shard": Case("live --shard 1/2 --trade", REFUSED, ("one desk decides and signs for all shards",)),
    "a recording of a shard": Case("live --shard 1/2 --replay {tape}", REFUSED, ("a recording needs no lease",)),
    "more shards than coins": Case("live --shard 63/64", REFUSED, ("has no coin of", "more shards than coins")),
    "a venue without a day": Case("up --venues 2", USAGE, ("belong to --trade-day",)),
    "a pace without a day": Case("up --speed 120", USAGE, ("belong to --trade-day",)),
    "a page of break-even": Case(f"pnl {ON} --break-even --page {{new}}", USAGE, ("belong to the page",)),
    "a configuration without events": Case(
        "export lessons --to json --config {text}", USAGE, ("--config FILE judges --events",)
    ),
    "trips of beliefs": Case(f"pnl {ON} --beliefs --trips", USAGE, ("belong to the page",)),
    "money in the wrong order": Case(
        f"pnl {ON} --from 2026-01-06 --to 2026-01-05", REFUSED, ("--from 2026-01-06 is after --to 2026-01-05",)
    ),
    "a brief of no nightly run": Case(
        f"brief {ON} --day 2031-01-01", REFUSED, ("no nightly run of 2031-01-01", "expected: one of 2026-01-05 to")
    ),
    "two forms of an answer": Case("sql x --csv --json", USAGE, ("more than one of --json, --csv and --parquet",)),
    "a value without a name": Case("sql x --set 5", USAGE, ("expected NAME=VALUE",)),
    "a write in SQL": Case("sql DELETE", REFUSED, ("the question cannot be read", "expected: one SELECT")),
    "flatten and lift": Case("kill --flatten --lift", USAGE, ("not both",)),
    "nobody reviews": Case("review freeze x --reason other --author ' '", USAGE, ("expected 1 to 128 characters",)),
    "nobody rolls back": Case("priors rollback x --author ''", USAGE, ("expected 1 to 128 characters",)),
    "nobody hints": Case(
        "dm hint BTC long --conviction 0.5 --horizon 5m --who ''", USAGE, ("expected 1 to 128 characters",)
    ),
    "a place to listen that is none": Case("console --host everywhere", USAGE, ("expected an address",)),
    "a proxy without its header": Case("console --proxy 127.0.0.1", USAGE, ("belong together",)),
    "pages for everybody": Case("console --host 0.0.0.0", REFUSED, ("without --token-file or --proxy; expected: ",)),
    "a token that others read": Case("console --token-file {text}", REFUSED, ("token file", "; expected: ")),
    "a pace of now": Case("exchange --now --speed 2", USAGE, ("without --speed",)),
    "tape and world": Case("exchange --tape {tape} --world demo", USAGE, ("not both",)),
    "letters and a reason": Case("herald replay x --reason y", USAGE, ("found neither or both",)),
    "nothing to learn from": Case("learn", USAGE, ("--events DIR",)),
    "days in the wrong order": Case(
        f"backfill {ON} --from 2026-01-06 --to 2026-01-05",
        REFUSED,
        ("--from 2026-01-06 is after --to 2026-01-05; expected: the earlier day first; likely cause: ",),
    ),
    "days without tape": Case(f"backfill {ON} --from 2027-01-01 --to 2027-01-02", REFUSED, ("no day from 2027-01-01",)),
    "a tape's name": Case("verify tape --tape ../x", REFUSED, ("the tape name is '../x'; expected: lower case",)),
    "a branch's name": Case("pnl --branch Main", REFUSED, ("the branch name is 'Main'; expected: lower case",)),
    "no name of a branch": Case("review list --branch ''", REFUSED, ("the branch name is ''",)),
    "a tape to verify": Case("verify tape --tape nosuch", REFUSED, ("nosuch has no days; expected: ",)),
    "a day of a tape": Case("verify tape --tape demo-11 --day 2027-01-01", REFUSED, ("2027-01-01",)),
    "a day to rebuild": Case(
        "tape rebuild --tape demo-11 --day 2027-01-01", REFUSED, ("microtape_frames[2027-01-01] is not committed",)
    ),
    "a tape to rebuild": Case(
        "tape rebuild --tape nosuch --day 2026-01-05", REFUSED, ("not committed on tape.nosuch",)
    ),
    "a tape to prune": Case("tape prune --tape nosuch", REFUSED, ("there is no tape nosuch",)),
    "a tape to backfill": Case(
        "backfill --tape nosuch --from 2026-01-05 --to 2026-01-05", REFUSED, ("nosuch", "; expected: ")
    ),
    "a tape to trade": Case("up --tape nosuch --trade-day 2026-01-08", REFUSED, ("no tape 'nosuch'",)),
    "a day to trade": Case(
        "up --tape demo-11 --trade-day 2027-01-01", REFUSED, ("has no day 2027-01-01; expected: one of",)
    ),
    "a pace that cannot hold": Case("up --trade-day 2026-01-08 --speed 120", REFUSED, ("at most 30 times",)),
    "a detector's card": Case("card nosuch", REFUSED, ("no card of nosuch", "micro_drift")),
    "a version of a card": Case(
        "card micro_drift --version 9 --branch demo-11", REFUSED, ("micro_drift v9", "expected: one of version ")
    ),
    "a model that is off": Case(
        "llm check --ask", REFUSED, ("[llm] mode is off; expected: mode", "it is off by default")
    ),
    "words of no model": Case("llm words --branch demo-11", REFUSED, ("[llm] mode is off",)),
    "an idea of two lines": Case("llm check --idea 'a\nb'", REFUSED, ("an idea of 3 characters; expected: one line",)),
    "a run that is not there": Case("experiments nosuch", REFUSED, ("no runs of branch main begin with 'nosuch'",)),
    "fixtures that are not there": Case(
        "fixtures verify nosuch", REFUSED, ("0 bundles begin with 'nosuch'", "lotus fixtures list")
    ),
    "a day outside the fixtures": Case("fixtures check --day 99", REFUSED, ("99",)),
    "a day's sanity table": Case("sanity --tape demo-11 --day 2027-01-01", REFUSED, ("no sanity table of 2027-01-01",)),
    "a tape's sanity table": Case("sanity --tape nosuch", REFUSED, ("no tape nosuch; expected: one of ", "demo-11")),
    "a sanity table's asset": Case("sanity --tape demo-11 --asset nosuch", REFUSED, ("nosuch", "BTC")),
    "a sanity table's horizon": Case("sanity --tape demo-11 --horizon 7", REFUSED, ("no horizon of 7 s", "300")),
    "a family": Case("detector new mine --family nosuch", REFUSED, ("nosuch", "; expected: ")),
    "a detector's name": Case("detector new Mine!", REFUSED, ("Mine!", "; expected: ")),
    "a detector's folder": Case("detector new mine --out {text}/x", REFUSED, ("Not a directory", "; expected: ")),
    "a branch's money": Case(
        "pnl --branch nosuch", REFUSED, ("branch nosuch was never scored; expected: one of demo-11",)
    ),
    "a tape's money": Case("pnl --tape nosuch --branch demo-11", REFUSED, ("tape nosuch has no quotes",)),
    "a day's money": Case(f"pnl {ON} --day 2027-01-01", REFUSED, ("2027-01-01", "; expected: ")),
    "a page in no folder": Case(f"pnl {ON} --page {{new}}/x", REFUSED, ("No such file or directory", "; expected: ")),
    "a branch's beliefs": Case("priors list --branch nosuch", REFUSED, ("never scored; expected: one of demo-11",)),
    "a version of beliefs": Case("priors show x --branch demo-11", REFUSED, ("no priors x on branch demo-11",)),
    "a version to go back to": Case("priors rollback x --author me --branch demo-11", REFUSED, ("x", "; expected: ")),
    "a branch's board": Case("review list --branch nosuch", REFUSED, ("never scored; expected: one of demo-11",)),
    "a branch's executions": Case("trade predictions --branch nosuch", REFUSED, ("never scored; expected: one of",)),
    "a branch's sums": Case("atoms compact --branch nosuch", REFUSED, ("never scored; expected: one of demo-11",)),
    "a branch's calibration": Case("dm calibration --branch nosuch", REFUSED, NO_BRANCH),
    "a source": Case("dm calibration --branch demo-11 --source nosuch", REFUSED, ("nosuch promised nothing",)),
    "a coin": Case(
        "dm hint NOPE long --conviction 0.5 --horizon 5m --who me --branch demo-11", REFUSED, ("NOPE", "; expected: ")
    ),
    "a view": Case("dm withdraw x --branch demo-11", REFUSED, ("no view x on branch demo-11; expected: the id",)),
    "an event": Case(f"explain {'0' * 32}", REFUSED, ("0" * 32, "; expected: an event_id")),
    "no event at all": Case("explain x", REFUSED, ("there is no event 'x'; expected: an event_id",)),
    "an event on the bus": Case("signal x", REFUSED, ("x", "; expected: ")),
    "a braid of no branch": Case("review approve x --author me --branch nosuch", REFUSED, NO_BRANCH),
    "a braid": Case(
        "review approve x --author me --branch demo-11",
        REFUSED,
        ("branch demo-11 has no braid 'x'; expected: one that",),
    ),
    "an act left out on no branch": Case("review approve x --author me --lifts y --branch nosuch", REFUSED, NO_BRANCH),
    "a hint on no branch": Case(
        "dm hint BTC long --conviction 0.5 --horizon 5m --who me --branch nosuch", REFUSED, NO_BRANCH
    ),
    "a dead letter": Case("herald replay x", REFUSED, ("x is no dead letter; expected: one that `lotus herald dead`",)),
    "a thread": Case("herald thread x", REFUSED, ("nothing in the atlas belongs to x; expected: the lifecycle",)),
    "a herald's name": Case("herald --name ''", REFUSED, ("the name of a herald is ''; expected: printable",)),
    "an address": Case(
        "record --url nonsense --tape t", REFUSED, ("'nonsense' is no websocket address; expected: ws://",)
    ),
    "a venue that is not there": Case(
        "record --url ws://127.0.0.1:9/ws --seconds 0.3 --tape t", REFUSED, ("no connection to ws://127.0.0.1:9/ws",)
    ),
    "a home to be stopped": Case("kill --home {new}", REFUSED, ("there is no home at", "; expected: ")),
    "a trigger": Case("trigger check 'price above'", NOT_SO, ("line 1, column ", "; expected: ")),
    "accounts of dollars": Case(f"exchange --account 0x{'1' * 40}=much", USAGE, ("found 'much'; expected dollars",)),
    "an agent of nothing": Case("exchange --agent 0x1=x", USAGE, ("expected 0x<40 hexadecimal",)),
    "faults": Case("exchange --faults [1]", REFUSED, ("; expected: ",)),
    "a day of a world": Case("exchange --day 2027-01-01", REFUSED, ("day 2027-01-01 of world demo; expected: ",)),
    "an exchange's port": Case(
        "exchange --speed manual --port {port}", REFUSED, ("port {port} of 127.0.0.1: ", "a free port")
    ),
    "a replay's port": Case("replay {tape} --port {port}", REFUSED, ("port {port} of 127.0.0.1: ", "a free port")),
    "the pages' port": Case("up --port {port}", REFUSED, ("port {port} of 127.0.0.1: ", "; expected: a free port; ")),
    "a backup in the place of a folder": Case(
        "backup {text}/x", REFUSED, ("File exists: ", "; expected: another path")
    ),
    "an example in the place of a file": Case("learn --example {text}/x", REFUSED, ("Not a directory", "; expected: ")),
    "pages in the place of a file": Case("modules docs --write --folder {text}", REFUSED, ("; expected: ",)),
    "signals of nothing": Case("learn --events {folder}", REFUSED, ("no file in", "; expected: one or more of *.csv")),
    "settings that are not there": Case(
        "pnl", REFUSED, ("there is no file", "; expected: a lotus.toml"), "LOTUS_CONFIG={new}"
    ),
    "a home that the doctor sees": Case("doctor", NOT_SO, ("may not write into", "; expected: "), "LOTUS_HOME={text}"),
    "settings that the doctor sees": Case("doctor", REFUSED, ("broken cannot be read",), "LOTUS_CONFIG={broken}"),
    "a home below a file": Case("pnl", REFUSED, ("Not a directory", "; expected: "), "LOTUS_HOME={text}/x"),
    "a server that is not there": Case(
        "db check",
        REFUSED,
        ("the databases cannot be made", "; expected: a server with lotus_sig, ", "; likely cause: "),
        "LOTUS_PG_DSN=host=/nonexistent user=x dbname=y connect_timeout=1",
    ),
    "a server's address": Case(
        "db check", REFUSED, ("cannot be read (it may hold a password",), "LOTUS_PG_DSN=nonsense"
    ),
}


CASES = {**of_every_command(), **of_every_value(), **of_every_file(), **of_settings(), **BY_HAND}
