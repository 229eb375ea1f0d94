"""Measure the product as it is run: `python benchmarks/whole.py [--json] [--only PART ...]`.

`fresh` clones this checkout and goes from nothing to the demo's page; `backfill` takes two whole days at the venue's
rates from tape to lessons, Dagster included, beside what the kernels alone reach in the same run; `ten_coins` takes one
such day of ten coins; `tape_stages`, `learning_day`, `replay` and `history` measure the stages of tape, a day's
learning, a session replayed at max, and what 3,000 days behind a day cost. All is wall time of processes of their own,
with their processor time, peak memory and the bytes that they leave. `--check` runs the demo, prints its page and
compares ratios to the kernels of the same run with the floors of `ratios.json`: no times.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

Figures = dict[str, float]
FLOORS = Path(__file__).with_name("ratios.json")
TOLERANCE = 0.5  # of a floor: machines and neighbours differ, a stage that is twice as slow does not pass


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command printed, and what it cost: wall and processor seconds of it and its children, peak MB of one."""

    output: str
    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: Sequence[str | Path], cwd: Path = ROOT, **environment: str) -> Ran:
    """Run a command to its end; raises `SystemExit` with its last words when it fails."""
    began = time.perf_counter()
    names = {"PYTHONPATH": str(cwd)} | environment
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=cwd, env=os.environ | names, stdout=output, stderr=errors
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall_s = time.perf_counter() - began
        for stream in (output, errors):
            stream.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(map(str, command))} ended with {process.returncode}: {errors.read()[-2000:]}")
        cpu_s, peak_mb = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
        return Ran(output.read(), wall_s, cpu_s, peak_mb)


def fresh() -> Figures:
    """Go from a clone to the demo's page."""
    from benchmarks.whole_days import bytes_in

    with tempfile.TemporaryDirectory(prefix="lotus-fresh-") as folder:
        clone = Path(folder) / "lotus"
        run(["git", "clone", "-q", ROOT, clone])
        setup = run([sys.executable, "scripts/setup.py"], clone)
        demo = run([clone / ".venv/bin/lotus", "demo", "--json"], clone)
        facts, steps = json.loads(demo.output), setup_steps(setup.output)
        figures = {"first_report_s": setup.wall_s + demo.wall_s, "setup_s": setup.wall_s}
        figures |= {
            "kernel_cache_s": steps.get("kernel cache", 0.0),
            "packages_s": setup.wall_s - steps["kernel cache"],
        }
        return figures | demo_figures(facts, demo) | {"demo_bytes": bytes_in(clone / ".lotus")}


def setup_steps(text: str) -> Figures:
    """Return the seconds of each step of set-up from its lines."""
    return {name: float(s) for name, s in re.findall(r"^\s+([a-z ]+?)(?: \.\.\.)? (\d+) s$", text, re.M)}


def demo_figures(facts: Mapping[str, object], ran: Ran) -> Figures:
    """Return the figures of one demo by part."""
    parts, messages = facts["parts"], facts["messages"]
    assert isinstance(parts, dict)
    assert isinstance(messages, int)
    figures = {f"demo.{name.replace(' ', '_')}_s": float(seconds) for name, seconds in parts.items()}
    return {
        "demo_s": ran.wall_s,
        "demo.cpu_s": ran.cpu_s,
        "demo.peak_mb": ran.peak_mb,
        "demo.msgs_per_s": messages / _backfilled_s(parts),
        "demo.windows_learned_per_s": float(str(facts["events"])) / (parts["learning"] + parts["learning of it"]),
    } | figures


def _backfilled_s(parts: Mapping[str, float]) -> float:
    """Return the seconds that a demo's days took from tape to lessons."""
    return sum(parts[name] for name in ("reading the tape", "learning", "learning of it"))


def whole_days() -> Figures:
    """Take two whole days of three coins at the venue's rates from tape to lessons, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="lotus-whole-") as folder:
        ran = run([sys.executable, "-m", "benchmarks.whole_days", folder])
        figures: Figures = json.loads(ran.output)
        return figures


def ten_coins() -> Figures:
    """Take one whole day of ten coins at the venue's rates from tape to lessons, in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="lotus-whole-") as folder:
        ran = run([sys.executable, "-m", "benchmarks.whole_days", folder, "10", "1"])
        figures: Figures = json.loads(ran.output)
        names = (
            "messages",
            "windows",
            "whole_backfill.msgs_per_s",
            "backfill.wall_s",
            "backfill.cpu_s",
            "backfill.peak_mb",
        )
        return {f"ten_coins.{name}": figures[name] for name in names}


def checked() -> Figures:
    """Run the demo and print its page; return its rates as shares of what the kernels reach on one core in the run."""
    from benchmarks.whole_days import kernel_rate
    from lotus_cli.demo.page import page

    with tempfile.TemporaryDirectory(prefix="lotus-check-") as home:
        ran = run([sys.executable, "-m", "lotus_cli", "demo", "--json"], LOTUS_HOME=home)
    facts, kernels = json.loads(ran.output), kernel_rate()
    print(page(facts).partition("NEXT")[0], flush=True)  # the home is gone: nothing is next
    parts, lines_a_day = facts["parts"], facts["messages"] / facts["days"]
    return {
        "backfill": facts["messages"] / _backfilled_s(parts) / kernels,
        "day_live": lines_a_day / parts["the day live"] / kernels,
        "whole": facts["messages"] / ran.wall_s / kernels,
    }


def verdicts(shares: Figures, floors: Figures) -> list[str]:
    """Return a line for every share that lies below what it may, and for every floor that nothing was measured for."""
    found = [
        f"{name}: {share:.4f} of the kernels' rate in the same run; expected at least {TOLERANCE * floors[name]:.4f} "
        f"(half of {floors[name]:.4f}); a part of the product has become slower than the rest"
        for name, share in shares.items()
        if share < TOLERANCE * floors[name]
    ]
    return found + [f"{name}: not measured; expected a share" for name in floors.keys() - shares.keys()]


def part_of(name: str, *command: str) -> Callable[[], Figures]:
    """Return the run of another benchmark, its figures under the name of the part."""
    return lambda: flat(name, json.loads(run([sys.executable, "-m", *command, "--json"]).output))


def flat(name: str, value: object) -> Figures:
    """Return the numbers in plain values under keys with dots; a list's members go by their name, else by number."""
    if isinstance(value, dict):
        return {key: v for inner, x in value.items() for key, v in flat(f"{name}.{inner}", x).items()}
    if isinstance(value, list):
        named = {str(x.get("name", at)) if isinstance(x, dict) else str(at): x for at, x in enumerate(value)}
        return flat(name, named)
    return {name: float(value)} if isinstance(value, int | float) else {}


PARTS: dict[str, Callable[[], Figures]] = {
    "backfill": whole_days,
    "ten_coins": ten_coins,
    "tape_stages": part_of("tape_stages", "benchmarks.tape_stages", "--days", "1"),
    "learning_day": part_of("learning_day", "benchmarks.learning_day"),
    "replay": part_of("replay", "benchmarks.replay"),
    "history": part_of("history", "benchmarks.long_history"),
    "fresh": fresh,
}


def table(figures: Figures) -> str:
    """Return the figures as a Markdown table."""
    from benchmarks.report import number

    rows = [f"| `{name}` | {number(value)} |" for name, value in figures.items()]
    return "\n".join(["| figure | measured |", "|---|---|", *rows]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print one object with flat keys")
    parser.add_argument("--only", action="append", choices=sorted(PARTS), help="run only this part (may be repeated)")
    parser.add_argument("--check", action="store_true", help="run the demo and compare its ratios with their floors")
    parser.add_argument("--record", action="store_true", help="with --check: write what was found as the floors")
    given = parser.parse_args(arguments)
    if given.check:
        shares = checked()
        print("\n".join(f"{name:<10} {share:.4f} of the kernels' rate" for name, share in shares.items()))
        if given.record:
            FLOORS.write_text(json.dumps({name: round(share, 4) for name, share in shares.items()}, indent=1) + "\n")
        elif below := verdicts(shares, json.loads(FLOORS.read_text())):
            raise SystemExit("\n".join(below))
        return
    figures: Figures = {}
    for name in given.only or PARTS:
        print(f"  {name} ...", file=sys.stderr, flush=True)
        figures |= PARTS[name]()
    print(json.dumps(figures, indent=1) if given.json else table(figures))


if __name__ == "__main__":
    main()
