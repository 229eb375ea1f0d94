"""Two live shards against one daemon of all coins on the lines that both took: which rows differ, and why.

`python tests/chaos/shard_twins.py --seconds 120`. `lotus_live --shard 0/2` and `1/2` take a simulated market at its
pace. Then the lines of both tapes, joined by their stamps and without control records, are scored as one daemon would,
and compared with what the shards logged. `close_seq` is left out, which numbers a tape's own lines. A row for which a
coin of the other shard was missing, or that was scored before the shard read the others, may differ in its cross-asset
terms; it is counted apart. Each shard's tape is scored in batch too and has to give its log bit for bit. Exit code 1
where a row differs without such a reason, or a tape does not give its log.
"""

import heapq
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from shard_homes import (  # noqa: E402
    SHARES,
    UNIVERSE,
    days_until_now,
    newest,
    parity_of,
    played,
    start_live,
)

from lotus.detectors.daemon_log import COMPARED, match_rows, same_bits  # noqa: E402
from lotus.detectors.registry import shipped_detectors  # noqa: E402
from lotus.detectors.scoring.others import heard  # noqa: E402
from lotus.detectors.scoring.scored import joined  # noqa: E402
from lotus_live.feed.clocks import Arrival, LineCounter, is_control  # noqa: E402
from lotus_live.feed.tape_file import day_arrivals  # noqa: E402
from lotus_live.parity import neutral_beliefs  # noqa: E402
from lotus_live.pipeline.batch import score_tape  # noqa: E402
from lotus_live.pipeline.day_lane import LaneSpec  # noqa: E402
from lotus_store.config import load_settings  # noqa: E402
from lotus_store.databases import Databases  # noqa: E402
from lotus_store.ledger.signals.live_log import read_daemon_log  # noqa: E402
from lotus_store.tape.store import TapeStore  # noqa: E402

OF_THE_TAPE = {"close_seq"}


def run(folder: Path, seconds: int) -> dict[str, Any]:
    """Run both shards, then compare; return the figures."""
    home, began_s = folder / "home", time.time()
    with played(home, seconds + 600) as databases:
        daemons = [start_live(home, share) for share in SHARES]
        try:
            while not min(newest(databases, share)[0] for share in SHARES):
                if any(daemon.poll() is not None for daemon in daemons):
                    raise RuntimeError((home / "daemon.log").read_text()[-3000:])
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
        parities = {f"live.{s.suffix}": asdict(parity_of(home, databases, f"live.{s.suffix}", days)) for s in SHARES}
        found = compared(databases, home, days, from_ms)
    return {"ends": ends, **found, "parity": parities}


def lines_of(store: TapeStore) -> Iterator[Arrival]:
    """Yield the lines of all days of a tape."""
    for day in store.days():
        yield from day_arrivals(store, day, warmup=False)


def as_one(home: Path) -> Any:
    """Return the rows of one daemon that took the lines of both shards."""
    both = (lines_of(TapeStore(home, f"live.{share.suffix}")) for share in SHARES)
    counter = LineCounter()
    lines = (
        Arrival(a.recv_ns, counter.number(a.recv_ns), a.raw)
        for a in heapq.merge(*both, key=lambda a: a.recv_ns) if not is_control(a.raw)
    )  # fmt: skip
    spec = LaneSpec(load_settings(home, home / "lotus.toml").manifest, UNIVERSE, shipped_detectors(), "main")
    return joined([rows.events for rows in score_tape(lines, spec, neutral_beliefs(spec))])


def compared(databases: Databases, home: Path, days: list[str], from_ms: int) -> dict[str, Any]:
    """Compare the rows of windows that ended after `from_ms`, both ways."""
    with databases.connect("sig") as sig:
        parts = [read_daemon_log(sig, "main", day) for day in days]
    log = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    whole, shards = (
        {name: values[rows["window_end_ms"] > from_ms] for name, values in rows.items()} for rows in (as_one(home), log)
    )
    matched = match_rows(whole, shards)
    wrong = {
        name: ~same_bits(whole[name][matched.ours], shards[name][matched.theirs])
        for name in COMPARED if name not in OF_THE_TAPE
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
