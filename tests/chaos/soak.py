"""Let the daemon trade for hours at ten times the demo's rate, in pieces, and tell what grows.

`python tests/chaos/soak.py FOLDER --hours 2` runs a piece; the same folder again runs the next one on the same home,
with all that the pieces before left there. The daemon is the real one, its venue the local exchange that plays 30 made
coins (290 messages a second; the demo has 3 coins and 29) on the machine's clock. Every minute a line of
`FOLDER/samples.jsonl` holds the daemon's resident memory, handles and threads, the connections, sizes and rows of the
databases, bytes and files of the tape, counts, latency, failures and alarms. `--report` tells all pieces: slopes an
hour within pieces (each without its first `WARM_MINUTES`) with 95 % intervals that know that minutes hang together
(Newey-West), the memory of every half hour, failures and alarms by how hard others pressed the machine, and every
warning of the logs, counted. Warming up takes as long as what is bounded by a time or a count needs to fill: ended
orders are remembered for 10 minutes, recent frames for 7. Exit code 1 when a piece ends early, memory grows by
`RSS_LIMIT_MB` an hour or more by its estimate, handles, threads or connections grow, or a failure or alarm was counted.
"""

import json
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import psycopg

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import spawn  # noqa: E402
from daemon_kills import COMPILING_S, TOML, Live, market, play_market, start_market  # noqa: E402
from disturbances import children_of  # noqa: E402
from free_port import free_port  # noqa: E402
from trade_kills import PATIENCE_S, make_home  # noqa: E402

from lotus.manifest import Asset  # noqa: E402
from lotus.simulation.spec import BTC, ETH, SOL, WorldSpec  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.tape.store import TapeStore  # noqa: E402
from lotus_venues.local_exchange.shift import shifted  # noqa: E402

MODELS = (BTC, ETH, SOL)
TIMES = 10
COINS = tuple(replace(coin, name=f"{coin.name}{k}" if k else coin.name) for k in range(TIMES) for coin in MODELS)
UNIVERSE = tuple(Asset(coin.name, coin.sz_decimals) for coin in COINS)
HALF_HOURS = tuple((f"{k // 2:02}:{k % 2 * 30:02}", f"{(k + 1) // 2:02}:{(k + 1) % 2 * 30:02}") for k in range(47))
WARM_S = 120
EVERY_S = 60.0
WARM_MINUTES = 20
LAGS = 20  # minutes that hang together
RSS_LIMIT_MB = 1.0
QUIET_PERCENT = 20.0
ALARMING = re.compile(r"^\S+ (?P<words>(WARNING|ERROR|CRITICAL) .*)")
TAPE = "live"


def run_market(home: Path, port: int, piece: int) -> int:
    """Play the simulated day of a piece until killed; the first piece begins the tape with two minutes of it."""
    spec = WorldSpec("demo", seed=7, days=piece + 1, assets=COINS, sessions=HALF_HOURS)
    lines = shifted(market(spec, piece), time.time_ns() - WARM_S * 1_000_000_000)
    return play_market(home, port, UNIVERSE, lines, is_new=piece == 0)


def new_home(folder: Path, port: int) -> Path:
    """Return the home of the soak; made at the first piece."""
    home = folder / "home"
    home.mkdir(mode=0o755, parents=True, exist_ok=True)
    assets = ", ".join(f'{{ name = "{a.name}", sz_decimals = {a.sz_decimals} }}' for a in UNIVERSE)
    text = re.sub(r"assets = \[.*?\]\n", lambda _: f"assets = [{assets}]\n", TOML.format(port=port), count=1)
    (home / "lotus.toml").write_text(text)
    (home / "market").unlink(missing_ok=True)
    return home


def databases_now(databases: Databases) -> dict[str, Any]:
    """Return connections by state, bytes and live rows (as estimated) of each database, and the largest tables."""
    found: dict[str, Any] = {"bytes": {}, "tables": {}}
    with databases.owner("sig", autocommit=True) as c:
        found["connections"] = c.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()[0]  # type: ignore[index]
    for module in ("sig", "dm", "tr"):
        with databases.owner(module, autocommit=True) as c:
            for table, size, rows in c.execute(
                "SELECT relname, pg_total_relation_size(relid), n_live_tup FROM pg_stat_user_tables ORDER BY 2 DESC"
            ):
                found["bytes"][module] = found["bytes"].get(module, 0) + size
                if rows:
                    found["tables"][f"{module}.{table}"] = rows
    return found


def folder_size(folder: Path) -> tuple[int, int]:
    """Return bytes and files below a folder."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)


def process_now(pid: int) -> dict[str, Any]:
    """Return resident memory in MiB, that of it which no file backs, handles, threads, CPU seconds and children."""
    place = Path(f"/proc/{pid}")
    words = dict(line.split(":", 1) for line in (place / "status").read_text().splitlines())
    times = (place / "stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return {
        "rss_mb": int(words["VmRSS"].split()[0]) / 1024, "anon_mb": int(words["RssAnon"].split()[0]) / 1024,
        "handles": len(list((place / "fd").iterdir())),
        "threads": int(words["Threads"]), "cpu_s": sum(map(int, times)) / os.sysconf("SC_CLK_TCK"),
        "children": len(children_of(pid)),
    }  # fmt: skip


def pressure_now() -> float:
    """Return the share of the last minute, in percent, in which some process waited for a processor (Linux' PSI)."""
    with suppress(OSError):
        return float(Path("/proc/pressure/cpu").read_text().split("avg60=")[1].split()[0])
    return 0.0


def by_pressure(every: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return minutes, failures and alarms by how hard the machine was pressed: below `QUIET_PERCENT`, or not."""
    found = {"quiet": Counter[str](), "pressed": Counter[str]()}
    for before, one in pairwise(every):
        if one["piece"] == before["piece"]:
            counts = found["quiet" if one.get("cpu_pressure", 0.0) < QUIET_PERCENT else "pressed"]
            counts["minutes"] += 1
            counts["failures"] += sum(one["failures"].values()) - sum(before["failures"].values())
            counts["alarms"] += (one["trading"]["alarms"] or 0) - (before["trading"]["alarms"] or 0)
    return {name: dict(counts) for name, counts in found.items()}


def sample(home: Path, live: Live, databases: Databases) -> dict[str, Any]:
    """Return what there is now; raises where the daemon has ended by itself."""
    status = live.status()
    assert live.process is not None
    found = process_now(live.process.pid) | {"cpu_pressure": pressure_now()}
    found |= {
        name: status.get(name) for name in ("lines", "frames", "windows", "events", "published", "gaps", "latency_us")
    }
    desk = status.get("trading") or {}
    found["trading"] = {name: desk.get(name) for name in ("plans", "orders", "fills", "alarms")}
    found["failures"] = {cause: one["count"] for cause, one in status.get("failures", {}).items() if one["count"]}
    found["feed"] = {name: (status.get("feed") or {}).get(name) for name in ("connects", "renewals", "errors")}
    found["tape_bytes"], found["tape_files"] = folder_size(TapeStore(home, TAPE).folder)
    found["lake_bytes"], found["lake_files"] = folder_size(home / "lake") if (home / "lake").exists() else (0, 0)
    with suppress(psycopg.OperationalError):
        found |= databases_now(databases)
    return found


def samples_of(folder: Path) -> list[dict[str, Any]]:
    """Return all minutes so far."""
    path = folder / "samples.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def run_piece(folder: Path, hours: float) -> None:
    """Run the next piece; a sample a minute is appended as it is taken."""
    before = samples_of(folder)
    piece, port = (before[-1]["piece"] + 1 if before else 0), free_port()
    home = new_home(folder, port)
    with ExitStack() as servers:
        servers.enter_context(embedded(home))
        made = spawn(partial(make_home, home), folder / "made.json")
        made.wait(PATIENCE_S)
        made.answer()
        exchange = start_market(home, port, folder / "exchange.json", partial(run_market, home, port, piece))
        databases = servers.enter_context(Databases(Settings(home), migrated=False))
        live = Live(home)
        try:
            live.start()
            until = time.monotonic() + COMPILING_S
            while not (live.status().get("trading") or {}).get("recovered"):
                if time.monotonic() > until:
                    raise TimeoutError(f"the daemon does not begin: {live.status()}")
                time.sleep(1.0)
            began = time.monotonic()
            minute = 0
            while time.monotonic() - began < hours * 3600:
                time.sleep(max(0.0, began + minute * EVERY_S - time.monotonic()))
                line = {"piece": piece, "minute": minute, "at": time.time(), **sample(home, live, databases)}
                with (folder / "samples.jsonl").open("a") as file:
                    file.write(json.dumps(line) + "\n")
                minute += 1
            assert live.process is not None
            live.process.send_signal(signal.SIGTERM)
            if code := live.process.wait(60.0):
                raise RuntimeError(f"the daemon ended with {code}")
        finally:
            if live.process is not None and live.process.poll() is None:
                live.kill()
            exchange.kill()


def slope(samples: Sequence[Mapping[str, Any]], values: Sequence[float]) -> tuple[float, float, float]:
    """Return the slope an hour within pieces and its 95 % interval: least squares, Newey-West errors."""
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]

    hours = np.array([one["minute"] / 60 for one in samples])
    pieces = np.array([one["piece"] for one in samples])
    y = np.array(values, dtype=float)
    for piece in np.unique(pieces):
        own = pieces == piece
        hours[own] -= hours[own].mean()
        y[own] -= y[own].mean()
    if not y.any():
        return 0.0, 0.0, 0.0
    fit = OLS(y, hours).fit(cov_type="HAC", cov_kwds={"maxlags": LAGS, "use_correction": True})
    low, high = fit.conf_int()[0]
    return float(fit.params[0]), float(low), float(high)


def by_half_hour(every: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Return the median memory of every half hour of each piece, its first minutes too."""
    values: dict[int, dict[int, list[float]]] = {}
    for one in every:
        values.setdefault(one["piece"], {}).setdefault(one["minute"] // 30, []).append(one["rss_mb"])
    return {
        f"piece {piece}": {f"{k / 2:g} h": round(float(np.median(own)), 1) for k, own in halves.items()}
        for piece, halves in values.items()
    }


def alarming_lines(home: Path) -> Counter[str]:
    """Return the warnings and errors of the daemon's log, with their numbers as #."""
    words: Counter[str] = Counter()
    for line in (home / "daemon.log").read_text(errors="replace").splitlines():
        if found := ALARMING.match(line):
            words[re.sub(r"[0-9a-f]{8,}|\d+(\.\d+)?", "#", found["words"])[:160]] += 1
    return words


def report(folder: Path) -> dict[str, Any]:
    """Return the figures of all pieces."""
    every = samples_of(folder)
    pieces = {one["piece"]: one["minute"] for one in every}
    warm = [one for one in every if one["minute"] >= WARM_MINUTES and "connections" in one]
    if len(warm) < 2 * LAGS:
        raise click.ClickException(f"{len(warm)} minutes after warming up in {folder}; {2 * LAGS} at least tell slopes")
    found: dict[str, Any] = {
        "pieces": len(pieces), "hours": round(sum(minutes for minutes in pieces.values()) / 60, 2),
        "lines_an_hour": slope(warm, [one["lines"] for one in warm]),
    }  # fmt: skip
    for name in ("rss_mb", "handles", "threads", "connections", "children"):
        values = [one[name] for one in warm]
        found[name] = {"first": values[0], "last": values[-1], "most": max(values), "an_hour": slope(warm, values)}
    if anon := [one["anon_mb"] for one in warm if "anon_mb" in one]:
        found["anon_mb"] = {"last": anon[-1], "an_hour": slope([one for one in warm if "anon_mb" in one], anon)}
    found["by_pressure"] = by_pressure(every)
    found["rss_mb"]["median_by_half_hour"] = by_half_hour(every)
    for name in ("tape_bytes", "tape_files", "lake_bytes", "lake_files"):
        found[name] = {"last": warm[-1][name], "an_hour": slope(warm, [one[name] for one in warm])}
    for module in ("sig", "dm", "tr"):
        found[f"{module}_mb"] = {"an_hour": slope(warm, [one["bytes"].get(module, 0) / 2**20 for one in warm])}
    rows = {table: [one["tables"].get(table, 0) for one in warm] for table in warm[-1]["tables"]}
    tables = Counter({table: slope(warm, values)[0] for table, values in rows.items()})
    found["rows_an_hour"] = {table: round(an_hour) for table, an_hour in tables.most_common(12) if an_hour >= 1}
    p99 = [one["latency_us"]["0.99"] for one in warm if one.get("latency_us")]
    found["latency_p99_us"] = {"median": float(np.median(p99)), "most": max(p99)}
    last = {one["piece"]: one for one in every}
    found["failures"] = dict(sum((Counter(one["failures"]) for one in last.values()), Counter()))
    found["desk_alarms"] = sum(one["trading"]["alarms"] or 0 for one in last.values())
    found["fills"] = sum(one["trading"]["fills"] or 0 for one in last.values())
    found["log"] = dict(alarming_lines(folder / "home"))
    grows = [name for name in ("handles", "threads", "connections", "children") if found[name]["an_hour"][1] > 0]
    found["grows"] = grows + ["rss_mb"] * (found["rss_mb"]["an_hour"][0] >= RSS_LIMIT_MB)
    found["whole"] = not (found["grows"] or found["failures"] or found["desk_alarms"])
    return found


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--hours", default=6.0, show_default=True, type=click.FloatRange(0.01), help="Of this piece.")
@click.option("--report", "only_report", is_flag=True, help="Only tell what the pieces so far show.")
def main(folder: Path, hours: float, only_report: bool) -> None:
    """Run a piece, then tell what all of them show."""
    folder.mkdir(parents=True, exist_ok=True)
    if not only_report:
        run_piece(folder, hours)
    found = report(folder)
    print(json.dumps(found, indent=2))
    sys.exit(0 if found["whole"] else 1)


if __name__ == "__main__":
    main()
