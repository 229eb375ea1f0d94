"""What campaigns over live shards share: a market played at the present time, homes, processes, and their judge."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import takewhile
from pathlib import Path
from typing import Any

import psycopg

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import spawn  # noqa: E402
from daemon_kills import die_with_parent, market  # noqa: E402
from free_port import free_port  # noqa: E402

from lotus.detectors.daemon_log import COMPARED, match_rows, same_bits  # noqa: E402
from lotus.detectors.registry import scored_detectors  # noqa: E402
from lotus.detectors.scoring.scored import joined  # noqa: E402
from lotus.manifest import Asset  # noqa: E402
from lotus.simulation.spec import BTC, ETH, SOL, WorldSpec  # noqa: E402
from lotus.timebase import next_day  # noqa: E402
from lotus_live.feed.recorder import tape_header  # noqa: E402
from lotus_live.feed.tape_file import day_arrivals  # noqa: E402
from lotus_live.parity import neutral_beliefs  # noqa: E402
from lotus_live.pipeline.batch import score_tape  # noqa: E402
from lotus_live.pipeline.day_lane import LaneSpec  # noqa: E402
from lotus_live.shards.share import Share  # noqa: E402
from lotus_store.config import Settings, load_settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.ledger.signals.live_log import read_daemon_log  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.tape.header import HeaderAsset  # noqa: E402
from lotus_store.tape.store import TapeStore  # noqa: E402
from lotus_venues.local_exchange.options import Options, TimeSource  # noqa: E402
from lotus_venues.local_exchange.shift import shifted  # noqa: E402
from lotus_venues.local_exchange.web.server import LocalExchange  # noqa: E402

MODELS = (BTC, ETH, SOL, replace(ETH, name="AVAX"), replace(SOL, name="LINK"))
SPEC = WorldSpec("demo", seed=7, days=1, assets=MODELS, sessions=(("08:00", "14:00"),))
UNIVERSE = tuple(Asset(a.name, a.sz_decimals) for a in MODELS)
SHARES = (Share(0, 2), Share(1, 2))
WARM_S = 420  # of tape that every home holds already: contexts of five minutes and phases of two
TOML = """
[universe]
assets = [{assets}]
[live]
ws_url = "ws://127.0.0.1:{port}/ws"
rest_url = "http://127.0.0.1:{port}"
[kernel]
gap_ms = 60000
[score]
publish_share = 0.5
[outcomes]
horizons_s = [30, 300]
"""


def make_home(home: Path, port: int) -> None:
    """Write the settings of a home."""
    home.mkdir(mode=0o755)
    assets = ", ".join(f'{{ name = "{a.name}", sz_decimals = {a.sz_decimals} }}' for a in UNIVERSE)
    (home / "lotus.toml").write_text(TOML.format(assets=assets, port=port))


def run_market(tapes: Mapping[str, Path], port: int, seconds: int, ready: Path) -> int:
    """Write the warm-up into the tapes (name to home; a shard's has its own coins), then play the market."""
    import asyncio

    began_ns = time.time_ns()
    lines = shifted(market(SPEC), began_ns - WARM_S * 1_000_000_000)
    past = list(takewhile(lambda line: line[0] < began_ns, lines))
    units = tuple(HeaderAsset(a.name, a.sz_decimals) for a in UNIVERSE)
    for name, home in tapes.items():
        coins = next((share.of(UNIVERSE) for share in SHARES if name.endswith(share.suffix)), UNIVERSE)
        marks = [f'"coin":"{asset.name}"'.encode() for asset in coins]
        store = TapeStore(home, name)
        store.write_header(tape_header(name, f"ws://127.0.0.1:{port}/ws", units))
        with store.writer() as writer:
            for recv_ns, raw in past:
                if any(mark in raw for mark in marks):
                    writer.append(recv_ns, raw)

    async def go() -> None:
        options = Options(clock=TimeSource.WALL, speed=1.0, limit_scale=0)
        async with LocalExchange(UNIVERSE, lines, options=options, port=port) as exchange:
            ready.write_text(exchange.url)
            await asyncio.sleep(seconds)

    asyncio.run(go())
    return 0


@contextmanager
def played(home: Path, seconds: int) -> Iterator[Databases]:
    """Make a home with its server and play the market beside it; yield its databases."""
    port, ready = free_port(), home.parent / "market"
    make_home(home, port)
    tapes = {f"live.{share.suffix}": home for share in SHARES}
    with embedded(home):
        exchange = spawn(partial(run_market, tapes, port, seconds, ready), home.parent / "market.json")
        try:
            while not ready.exists():
                if not exchange.alive():
                    exchange.answer()
                time.sleep(0.1)
            with Databases(Settings(home)) as databases:
                databases.open()
                yield databases
        finally:
            exchange.kill()


def start_live(home: Path, share: Share | None = None) -> "subprocess.Popen[bytes]":
    """Start a daemon whose sessions carry its process id as a setting of their own."""
    names = {"LOTUS_HOME": str(home), "LOTUS_CONFIG": str(home / "lotus.toml")}
    words = ["-m", "lotus_live", *(() if share is None else ("--shard", share.name))]
    with (home / "daemon.log").open("ab") as log:
        return subprocess.Popen(
            ["sh", "-c", 'PGOPTIONS="-c audit.writer=$$" exec "$0" "$@"', sys.executable, *words],
            env={**os.environ, **names}, cwd=HERE.parents[1], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, preexec_fn=die_with_parent,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parity:
    """Rows of a run's log against what its tape gives in batch."""

    rows: int
    different: int
    only_in_the_log: int
    not_in_the_log: int
    first: str


def parity_of(home: Path, databases: Databases, tape: str, days: list[str]) -> Parity:
    """Score a tape in batch and compare with what the run of the tape logged."""
    store = TapeStore(home, tape)
    settings = load_settings(home, home / "lotus.toml")
    spec = LaneSpec(settings.manifest, UNIVERSE, scored_detectors(settings.manifest), "main")

    def lines() -> Iterator[Any]:
        for k, day in enumerate(store.days()):
            yield from day_arrivals(store, day, warmup=k == 0)

    batch = joined([rows.events for rows in score_tape(lines(), spec, neutral_beliefs(spec))])
    coins = next((share.of(UNIVERSE) for share in SHARES if tape.endswith(share.suffix)), UNIVERSE)
    names = [asset.name for asset in coins]
    with databases.connect("sig") as sig:
        parts = [read_daemon_log(sig, "main", day) for day in days]
    log = {name: _joined([part[name] for part in parts]) for name in parts[0]}
    own = _joined([log["asset"]])
    log = {name: values[[a in names for a in own]] for name, values in log.items()}
    matched = match_rows(batch, log)
    wrong, first = None, ""
    for name in COMPARED:
        same = same_bits(batch[name][matched.ours], log[name][matched.theirs])
        if not same.all() and not first:
            row = int((~same).argmax())
            first = f"{name}: {log[name][matched.theirs][row]} logged, {batch[name][matched.ours][row]} in batch"
        wrong = ~same if wrong is None else wrong | ~same
    different = int(wrong.sum()) if wrong is not None else 0
    return Parity(len(matched.ours), different, len(matched.theirs_only), len(matched.ours_only), first)


def _joined(parts: list[Any]) -> Any:
    import numpy as np

    return np.concatenate(parts)


def days_until_now(began_s: float) -> list[str]:
    """Return the UTC days from a moment (s since 1970) to now."""
    from lotus.timebase import day_of

    first, last = day_of(int(began_s * 1000)), day_of(int(time.time() * 1000))
    return [first] if first == last else [first, next_day(first)]


AUDIT = """
CREATE TABLE audit (writer text, owner text, what text, at timestamptz DEFAULT clock_timestamp());
CREATE FUNCTION audit_row() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    writer text := coalesce(current_setting('audit.writer', true), '');
    held text := (SELECT owner FROM shard_lease WHERE shard =
        replace(replace(NEW.run_id, 'main.live.', 'main '), 'of', '/'));
BEGIN
    IF held IS NOT NULL AND split_part(held, ':', 2) <> writer THEN
        INSERT INTO audit (writer, owner, what) VALUES (writer, held, TG_TABLE_NAME);
    END IF;
    INSERT INTO audit_seen VALUES (writer) ON CONFLICT DO NOTHING;
    RETURN NEW;
END $$;
CREATE TABLE audit_seen (writer text PRIMARY KEY);
CREATE TRIGGER audit_events AFTER INSERT ON live_events FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER audit_log AFTER INSERT ON live_log FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER audit_orders AFTER INSERT ON live_orders FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER audit_fills AFTER INSERT ON live_fills FOR EACH ROW EXECUTE FUNCTION audit_row();
CREATE TRIGGER audit_signals AFTER INSERT ON live_signals FOR EACH ROW EXECUTE FUNCTION audit_row();
"""


def watch_writers(databases: Databases) -> None:
    """Let the database note every row whose writer is not the process that holds the lease of its shard."""
    with databases.owner("sig", autocommit=True) as sig:
        sig.execute(AUDIT)


def audited(databases: Databases) -> tuple[int, int]:
    """Return how many rows had a writer without the lease, and how many processes wrote at all."""
    with databases.owner("sig") as sig:
        rows = [sig.execute(f"SELECT count(*) FROM {table}").fetchone() for table in ("audit", "audit_seen")]  # type: ignore[arg-type]
    stale, writers = (int(row[0]) if row else 0 for row in rows)
    return stale, writers


def newest(databases: Databases, share: Share) -> tuple[int, int]:
    """Return the end of a shard's newest logged window (ms UTC) and the epoch of its lease, zeros before."""
    try:
        with databases.connect("sig", autocommit=True) as sig:
            end = sig.execute(
                "SELECT coalesce(max(window_end_ms), 0) FROM live_events WHERE run_id = %s",
                [f"main.live.{share.suffix}"],
            ).fetchone()
            epoch = sig.execute("SELECT epoch FROM shard_lease WHERE shard = %s", [share.lease("main")]).fetchone()
    except psycopg.Error:
        return 0, 0
    return int(end[0]) if end else 0, int(epoch[0]) if epoch else 0
