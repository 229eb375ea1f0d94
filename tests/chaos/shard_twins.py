"""Two shards and one daemon of all coins on the same market at the same time: which signals differ, and why.

`python tests/chaos/shard_twins.py --seconds 120`. Two homes with one market: one runs `lotus_live`, the other
`lotus_live --shard 1/2` and `2/2`. Rows of windows that both closed are compared without the columns that name the
connection (`close_recv_ns`, `close_seq`); rows for which a value of the other shard was missing are counted apart.
Each shard's tape is also scored in batch and has to give its log bit for bit. Exit code 1 where a row differs without
such a reason, or a tape does not give its log.
"""

import json
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from children import spawn  # noqa: E402
from free_port import free_port  # noqa: E402
from shard_homes import (  # noqa: E402
    SHARES,
    UNIVERSE,
    days_until_now,
    make_home,
    newest,
    parity_of,
    run_market,
    start_live,
)

from lotus.detectors.daemon_log import COMPARED, match_rows, same_bits  # noqa: E402
from lotus.detectors.scoring.others import heard  # noqa: E402
from lotus_store.config import Settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.ledger.signals.live_log import read_daemon_log  # noqa: E402
from lotus_store.postgres.embedded import embedded  # noqa: E402
from lotus_store.tape.store import TapeStore  # noqa: E402

HOLE_S = 45  # until then all daemons are connected, on a crowded machine too; below the limit of a gap
OF_THE_CONNECTION = {"close_recv_ns", "close_seq"}


def run(folder: Path, seconds: int) -> dict[str, Any]:
    """Run both ways side by side; return the figures."""
    one, two, port, began_s = folder / "one", folder / "two", free_port(), time.time()
    for home in (one, two):
        make_home(home, port)
    tapes = {"live": one, **{f"live.{share.suffix}": two for share in SHARES}}
    ready = folder / "market"
    with ExitStack() as held:
        servers = [held.enter_context(embedded(home)) for home in (one, two)]
        assert servers
        exchange = spawn(partial(run_market, tapes, port, seconds + 600, ready, HOLE_S), folder / "market.json")
        try:
            while not ready.exists():
                if not exchange.alive():
                    exchange.answer()
                time.sleep(0.1)
            first, second = (held.enter_context(Databases(Settings(home))) for home in (one, two))
            first.open(), second.open()
            began_s = time.time()
            daemons = [start_live(one), *(start_live(two, share) for share in SHARES)]
            try:
                while time.time() < began_s + HOLE_S + 10 or not min(newest(second, share)[0] for share in SHARES):
                    if any(daemon.poll() is not None for daemon in daemons):
                        raise RuntimeError("\n".join((h / "daemon.log").read_text()[-2000:] for h in (one, two)))
                    time.sleep(0.5)
                from_ms = int(time.time() * 1000)
                time.sleep(seconds)
                for daemon in daemons:
                    daemon.terminate()
                ends = [daemon.wait(60) for daemon in daemons]
            finally:
                for daemon in daemons:
                    daemon.kill()
            days = days_until_now(began_s)
            parities = {t: asdict(parity_of(home, d, t, days)) for t, home, d in
                        (("live", one, first), *((f"live.{s.suffix}", two, second) for s in SHARES))}  # fmt: skip
            found = compared(first, second, two, days, from_ms)
        finally:
            exchange.kill()
    return {"ends": ends, **found, "parity": parities}


def compared(first: Databases, second: Databases, home: Path, days: list[str], from_ms: int) -> dict[str, Any]:
    """Compare the rows of both homes for windows that ended after `from_ms`."""
    logs = []
    for databases in (first, second):
        with databases.connect("sig") as sig:
            parts = [read_daemon_log(sig, "main", day) for day in days]
        log = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        logs.append({name: values[log["window_end_ms"] > from_ms] for name, values in log.items()})
    whole, shards = logs
    matched = match_rows(whole, shards)
    wrong = {
        name: ~same_bits(whole[name][matched.ours], shards[name][matched.theirs])
        for name in COMPARED if name not in OF_THE_CONNECTION
    }  # fmt: skip
    differs = np.logical_or.reduce(list(wrong.values()))
    lacking = missing_windows(home)
    window_ms = 5_000
    starts = shards["window_end_ms"][matched.theirs] - window_ms
    assets = shards["asset"][matched.theirs]
    excused = np.array([(end, name) in lacking for end, name in zip(starts.tolist(), assets.tolist(), strict=True)])
    unexplained = differs & ~excused
    row = int(np.argmax(unexplained))
    first_name = next((name for name, bad in wrong.items() if bad[row]), "") if unexplained.any() else ""
    return {
        "rows": len(matched.ours), "only_whole": len(matched.ours_only), "only_shards": len(matched.theirs_only),
        "entrained": int(np.isfinite(shards["entrain"][matched.theirs]).sum()) if len(matched.ours) else 0,
        "published": int(shards["published"][matched.theirs].sum()), "different": int(differs.sum()),
        "with_missing": int(excused.sum()), "unexplained": int(unexplained.sum()),
        "columns": {name: int(bad.sum()) for name, bad in wrong.items() if bad.any()},
        "first": f"{first_name} of {assets[row]} at {starts[row]}: {whole[first_name][matched.ours][row]} whole, "
                 f"{shards[first_name][matched.theirs][row]} sharded" if first_name else "",
    }  # fmt: skip


def missing_windows(home: Path) -> set[tuple[int, str]]:
    """Return (end of the window read, coin that reads it) for which a shard's record lacks a coin, or is not there."""
    lacking: set[tuple[int, str]] = set()
    for share in SHARES:
        store, whole = TapeStore(home, f"live.{share.suffix}"), set[int]()
        for day in store.days():
            _, report = store.decode_day(day)
            whole |= {at.others.window_end_ms for at in heard(report.controls) if not at.others.missing}
        last = max(whole, default=0)
        for end in range(last - 3_600_000, last + 60_000, 5_000):
            if end not in whole:
                lacking |= {(end, asset.name) for asset in share.of(UNIVERSE)}
    return lacking


@click.command()
@click.option("--seconds", type=int, default=120)
@click.option("--json", "as_json", is_flag=True)
def main(seconds: int, as_json: bool) -> None:
    """Run it in a folder of its own and judge."""
    with tempfile.TemporaryDirectory() as folder:
        found = run(Path(folder), seconds)
    click.echo(json.dumps(found, indent=None if as_json else 1))
    bad = [p for p in found["parity"].values() if p["different"] or p["only_in_the_log"] or not p["rows"]]
    raise SystemExit(1 if bad or found["unexplained"] or not found["entrained"] else 0)


if __name__ == "__main__":
    main()
