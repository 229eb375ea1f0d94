"""The product's learning on the real recordings: what it says, which gates refuse, how small an effect it could see.

`python -m benchmarks.lessons.recordings [--write] [--json]`: the recordings become one tape in a home of its own and go
through the product's backfill twice: as shipped, and without the hour's horizon, which no outcome in half an hour can
reach. Then the night's own numbers are read back, and the minimum detectable effect of `mde` is told for this load. The
page docs/evidence_recordings.md is what this prints. Nothing is judged or tuned here.
"""

import argparse
import gzip
import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks.lessons import mde
from benchmarks.lessons.command import seeds_of
from benchmarks.lessons.evidence import ROOT, code_of
from benchmarks.lessons.recordings_page import Branch, Detectable, Detector, Input, Opened, Told, page
from benchmarks.report import write_into
from lotus.learning.axes import axes
from lotus.learning.demean import demean
from lotus.learning.effect import effective_sample
from lotus.learning.night import learn_night
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import rows_by_detector
from lotus.manifest import Manifest
from lotus.timebase import HOUR_MS
from lotus_assets.backfill import backfill
from lotus_store.branch_settings import Document, write_branch_settings
from lotus_store.config import load_settings
from lotus_store.databases import Databases
from lotus_store.lake import Lake
from lotus_store.ledger.beliefs.lessons import read_experiments, read_lessons
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore

DATA = ROOT.parent / "shared" / "data"
PAGE = ROOT / "docs" / "evidence_recordings.md"
TAPE = "recordings"
CAPTURES = ("hyperliquid-2025-09-03-outages/frames.jsonl.gz", "hyperliquid-2025-09-04/frames.jsonl.gz")
TOO_SHORT = "hyperliquid-2025-01-26-raw/btcusd_20250126.gz"
BRANCHES: dict[str, tuple[int, ...]] = {"as-shipped": (30, 300, 3_600), "short": (30, 300)}
STAGES = ("microtape_frames", "signal_events", "signal_eval", "payoff_scores")
DAYS, HOURS = (10, 40, 80), 24  # whole days of the recorded load


def input_of(name: str, folder: Path = DATA) -> Input:
    """Return hash, lines and span of a capture (`<receive ns> <frame>` lines)."""
    raw = (folder / name).read_bytes()
    stamps = [int(line.split(b" ", 1)[0]) for line in gzip.decompress(raw).splitlines() if line]
    return Input(name, hashlib.sha256(raw).hexdigest(), len(stamps), (max(stamps) - min(stamps)) / 1e9)


def missing(folder: Path = DATA) -> str:
    """Return why there is nothing to run on, or an empty text."""
    gone = [name for name in (*CAPTURES, TOO_SHORT) if not (folder / name).is_file()]
    return f"the recordings do not lie beside the checkout (no {gone[0]})" if gone else ""


def learned(home: Path, name: str, horizons_s: tuple[int, ...]) -> tuple[Branch, dict[str, Columns]]:
    """Run the product on one branch of a home that holds the tape; return what it said and the scores behind it."""
    tape = TapeStore(home, TAPE)
    sections: Document = {
        "universe": {"assets": [{"name": a.name, "sz_decimals": a.sz_decimals} for a in tape.header().assets]},
        "learning": {"looks": "final"},
        "outcomes": {"horizons_s": list(horizons_s)},
    }
    write_branch_settings(home, name, sections)
    settings, days = load_settings(home=str(home), tape=TAPE, branch=name), tape.days()
    with Databases(settings).open() as databases:
        done = backfill(settings, days[0], days[-1])
        with databases.connect("sig") as connection:
            night = read_experiments(connection, name, days[-1], "night")["night"]
            reports = read_experiments(connection, name, days[-1], "detector")
            lessons = read_lessons(connection, name, days[-1])
    lake = Lake(settings.lake_root)
    scores: dict[str, Columns] = {day: lake.read("payoff_scores", name, day) for day in days}
    told = Branch(
        name=name,
        horizons_s=horizons_s,
        rows={stage: done.rows(stage) for stage in STAGES},
        by_gap=sum(int(str(done.notes(day, "signal_eval")["dropped_by_gap"])) for day in days),
        accepted=sum(lesson.accepted for lesson in lessons),
        refused=tuple(lesson.reason for lesson in lessons if not lesson.accepted),
        trials=int(night["trials"]),
        looked=bool(night["looked"]),
        detectors=detectors_of(scores),
        reasons=tuple(sorted({str(report["reason"]) for report in reports.values()})),
    )
    return told, scores


def detectors_of(scores: Mapping[str, Columns]) -> tuple[Detector, ...]:
    """Return what every detector brought."""
    out = []
    for name, rows in rows_by_detector(scores, len(scores)).items():
        ends = [np.asarray(c["window_end_ms"])[np.asarray(c["detector_id"]) == name] for c in scores.values()]
        end = np.sort(np.concatenate(ends).astype(np.int64))  # rows are in this order
        residual = demean(rows.basis(), rows.h, rows.f, rows.day, len(rows.days))
        _, piece = np.unique(end // (1_000 * rows.horizon_s), return_inverse=True)
        paid = rows.payoff_y[rows.published & ~np.isnan(rows.payoff_y)]
        weight = float(rows.h.sum())
        out.append(
            Detector(
                name=name,
                horizon_s=rows.horizon_s,
                windows=len(rows),
                published=int(rows.published.sum()),
                ess=effective_sample(rows.published[rows.published], rows.p[rows.published]),
                days=len(np.unique(rows.day)),
                blocks=rows.n_lanes,
                weight=weight,
                hours=float(np.ptp(end)) / HOUR_MS,
                net_bps=float(paid.mean()) if len(paid) else float("nan"),
                sd_bps=float(paid.std()) if len(paid) else float("nan"),
                spread_bps=float(np.sqrt((np.bincount(piece, weights=residual) ** 2).sum() / weight)),
            )
        )
    return tuple(out)


def opened(scores: Mapping[str, Columns], manifest: Manifest) -> Opened:
    """Return what one look finds when no gate asks for support."""
    free = replace(
        manifest.learning, looks="final", min_days=1, min_blocks=1, min_published=1, min_ess=0.0, min_n_eff_days=0.0
    )
    night = learn_night(scores, replace(manifest, learning=free))
    held = sum(len(columns["day"]) > 0 for columns in scores.values())
    return Opened(
        rules=night.trials,
        best_nats=night.real_maximum.day,
        bar_nats=night.critical.day,
        rest_nats=night.real_maximum.rest,
        as_good=float(np.mean(night.draw_maxima.day >= night.real_maximum.day)),
        patterns=2 ** (held - 1) if held else 0,
        accepted=len(night.lessons),
    )


def detectable(detectors: Sequence[Detector], seeds: Sequence[int]) -> list[Detectable]:
    """Return the minimum detectable effects after whole days of the recorded load; c is that of null worlds.

    The family grows with the detectors, so ln of their number is added to c. Days 0 are the minutes recorded, which
    have no critical value of their own: that of ten days stands there.
    """
    price, out = axes().price, []
    for days in (0, *DAYS):
        c = float(np.median([mde.world(seed, days or DAYS[0])[0] for seed in seeds])) + np.log(len(detectors))
        for one in detectors:
            covered = (one.weight / one.hours * HOURS * days if days else one.weight) * mde.COVERAGE
            bars = [np.sqrt(2.0 * c + 2.0 * price[size]) + mde.POWER_Z for size in (1, 2, 3)]
            a, b, d = (float(bar * one.spread_bps / np.sqrt(covered)) for bar in bars)
            out.append(Detectable(one.name, days, (a, b, d)))
    return out


def run(seeds: Sequence[int], folder: Path = DATA) -> Told:
    """Run everything in a home that is thrown away."""
    with tempfile.TemporaryDirectory(prefix="lotus-recordings-") as name:
        home = Path(name)
        home.chmod(0o755)
        import_all(home, folder)
        found = [learned(home, branch, horizons) for branch, horizons in BRANCHES.items()]
    short, scores = found[-1]
    manifest = Manifest()
    return Told(
        inputs=tuple(input_of(name, folder) for name in CAPTURES),
        left_out=input_of(TOO_SHORT, folder),
        branches=tuple(branch for branch, _ in found),
        opened=opened(scores, manifest),
        detectable=tuple(detectable(short.detectors, seeds)),
        fee_bps=2.0 * manifest.outcomes.taker_fee_bps,
        ran_on=datetime.now(UTC).date().isoformat(),
        code=code_of((Path(__file__),)),
    )


def import_all(home: Path, folder: Path) -> None:
    """Make one tape of the captures."""
    store = TapeStore(home, TAPE)
    for name in CAPTURES:
        import_recording(store, [folder / name])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what the product says, and write the page with `--write`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=seeds_of, default=[1, 2], help="null worlds behind the critical values")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    why = missing()
    if why:
        print(json.dumps({"skipped": why}) if options.json else f"skipped: {why}")
        return 0
    told = run(options.seeds)
    text = page(told)
    if options.write:
        write_into(PAGE, text)
    print(json.dumps(asdict(told), indent=1) if options.json else text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
