"""What `lotus learn` needs for large files: seconds and peak memory of a whole run, from file to report.

`python -m benchmarks.lessons.own_files [--rows 1000000 2000000 10000000] [--features 12] [--detectors 10] [--days 60]
[--kind parquet|csv] [--json]`. The files are those of `lotus.own_signals.example`, made by another process; each run
is a process of its own, whose memory is its high-water mark (VmHWM) with every library in it. CPU seconds of that
process. The reference is the same rows read whole by pandas, features only.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lotus.own_signals.example import ExampleSpec

ASSETS = ("BTC", "ETH", "SOL", "HYPE")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print one line of figures for every size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 2_000_000, 10_000_000])
    parser.add_argument("--features", type=int, default=12)
    parser.add_argument("--detectors", type=int, default=10)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--kind", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=("make", "learn", "pandas"), help="What a child process does.")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(arguments)
    if options.part:
        _part(options)
        return 0
    found = [_measured(options, rows) for rows in options.rows]
    print(json.dumps(found, indent=1) if options.json else "\n".join(_words(x) for x in found))
    return 0


def _measured(options: argparse.Namespace, rows: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "events"
        made = _child(options, "make", folder, rows)
        learned = _child(options, "learn", folder, rows)
        return {
            "rows": made["rows"], "features": options.features, "detectors": options.detectors, "days": options.days,
            "kind": options.kind, "file_mb": made["file_mb"], **learned,
            "pandas": _child(options, "pandas", folder, rows),
        }  # fmt: skip


def _child(options: argparse.Namespace, part: str, folder: Path, rows: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.lessons.own_files", "--part", part, "--folder", str(folder)]
    for name in ("features", "detectors", "days", "kind"):
        command += [f"--{name}", str(getattr(options, name))]
    done = subprocess.run([*command, "--rows", str(rows)], stdout=subprocess.PIPE, check=True)
    out: dict[str, Any] = json.loads(done.stdout)
    return out


def _part(options: argparse.Namespace) -> None:
    started = time.process_time()
    match options.part:
        case "make":
            told = _make(options)
        case "learn":
            told = _learn(options.folder)
        case _:
            told = _pandas(options.folder, options.kind)
    usage = {"cpu_s": round(time.process_time() - started, 1), "peak_mb": round(_peak_mb())}
    print(json.dumps(told | ({} if options.part == "make" else usage)))


def _make(options: argparse.Namespace) -> dict[str, Any]:
    from lotus_lab.example_events import write_example

    windows = options.rows[0] // (options.days * options.detectors * len(ASSETS))
    names = ("breakout", *(f"other{k:02d}" for k in range(1, options.detectors)))
    spec = ExampleSpec(days=options.days, windows=windows, assets=ASSETS, detectors=names, features=options.features)
    paths = write_example(options.folder, spec, options.kind)
    return {"rows": spec.rows, "file_mb": round(sum(p.stat().st_size for p in paths) / 1e6)}


def _learn(folder: Path) -> dict[str, Any]:
    from click.testing import CliRunner

    from lotus_cli.main import main as lotus

    arguments = ["learn", "--events", str(folder), "--out", str(folder.parent / "out"), "--json"]
    done = CliRunner().invoke(lotus, arguments, catch_exceptions=False)
    told = json.loads(done.stdout)
    return {"trials": told["trials"], "lessons": [x["rule"] for x in told["lessons"]]}


def _pandas(folder: Path, kind: str) -> dict[str, Any]:
    import pandas as pd

    read = pd.read_parquet if kind == "parquet" else pd.read_csv
    table = pd.concat([read(path) for path in sorted(folder.iterdir())])
    return {"numbers": int(table.select_dtypes("number").shape[1])}


def _peak_mb() -> float:
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmHWM"].split()[0]) / 1024.0


def _words(x: dict[str, Any]) -> str:
    return (
        f"{x['rows']:>10,} rows x {x['features']} features, {x['detectors']} detectors, {x['days']} days "
        f"({x['file_mb']} MB of {x['kind']}): {x['cpu_s']:.1f} s CPU, peak {x['peak_mb']:,} MB; {x['trials']:,} rules, "
        f"lessons: {'; '.join(x['lessons']) or 'none'}; pandas only reads them: {x['pandas']['cpu_s']:.1f} s, "
        f"{x['pandas']['peak_mb']:,} MB"
    )


if __name__ == "__main__":
    raise SystemExit(main())
