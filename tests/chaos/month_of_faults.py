"""`python tests/chaos/month_of_faults.py --seed S`: a month of nightly runs with six faults, named in time or not.

A deployment of a simulated world lives through `--before` nights without a fault: the monitors compare a day with
those like it and need weeks. Then come `--nights` nights in which a coin changes its unit, a feed dies, a twin of a
detector is released, a column holds the future, a lesson stops being true, and an expert that costs much says nothing,
each from a night on that the seed draws. After every night the brief is read as a person reads it. A fault is named
when a line that is not ok, or a row of alarms or acts, has its words and did not say so the night before the fault;
then it is mended. The same weeks without a fault are lived through beside, from a copy of the home: they must be quiet.

Stages, messages and the brief are those of the nightly run, called one after another in a process of the release of the
night, without Dagster: its schedules, freshness checks and sensors of failed runs are not part of this. Days are two
half hours long. Exit code 1 when a fault was not named in time, or the quiet month had more than one alarm.
(Literature: fault injection, chaos engineering; error budget of a monitor.)
"""

import os
import random
import secrets
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))

from month_faults import KINDS, ROOT, Fault, draw, release
from month_home import FIRST_DAY, State

from lotus.timebase import next_day

HERE = Path(__file__).parent
TAIL = 14  # nights after the month in which a late fault has its deadline
RECOVERY = 7  # nights after a fault is mended in which what it left may still be told
QUIET_ALARMS = 1
Alarm = tuple[str, str]  # night, text


def live(folder: Path, *, is_ahead: bool = False) -> None:
    """Run nights of a folder, each on its release, until all are over."""
    while (state := State.read(folder)).night < state.nights:
        root = release(folder / "product", state.release)
        command = [sys.executable, str(HERE / "month_home.py"), str(folder)]
        environment = os.environ | {"PYTHONPATH": str(root), "LOTUS_KERNEL_CACHE": str(ROOT / ".kernel_cache")}
        with (folder / "nights.log").open("ab") as log:
            reader = (
                subprocess.Popen([*command, "ahead"], env=environment, stdout=log, stderr=log) if is_ahead else None
            )
            done = subprocess.run(command, env=environment, stdout=log, stderr=log).returncode
        if reader is not None:
            reader.kill()
            reader.wait()
        if done != 0:
            raise SystemExit(f"the nights of {folder} ended with exit code {done}; see {folder / 'nights.log'}")


def branched(warm: Path, folder: Path, nights: int, faults: list[Fault]) -> Path:
    """Copy a home that has lived through the nights before, and give it faults."""
    folder.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", str(warm / "home"), str(folder)], check=True)  # with its owners, as the server demands
    before = State.read(warm)
    State(before.seed, before.before, before.before, before.before + nights, faults, []).write(folder)
    return folder


def alarms_of(record: dict[str, Any]) -> list[str]:
    """Return what a night cried: a stop, alarms of the queue, vetoes."""
    vetoes = [act for act in record["acts"] if " veto " in act]
    stop = [f"stopped: {record['stopped']}"] if record["stopped"] else []
    return [*stop, *record["alerts"], *vetoes]


def counted(cried: list[Alarm]) -> int:
    """Return how many alarms were cried: series that a family names in one night are one."""
    return len({(night, text.split()[0]) for night, text in cried})


def unmet(state: State) -> list[str]:
    """Return advisory checks that did not pass, each with its nights; drift is an alarm of its own."""
    nights: dict[str, list[int]] = {}
    for record in state.records:
        for check in record["checks"]:
            if not check.startswith("drift_report"):
                nights.setdefault(check.partition(":")[0], []).append(record["night"])
    return [f"- {name}: nights {', '.join(map(str, some))}" for name, some in nights.items()]


def false_alarms(state: State) -> list[Alarm]:
    """Return what was cried on nights when nothing that it could be about was broken, or had been of late."""
    out = []
    for record in state.records:
        near = [f for f in state.faults if f.first <= record["night"] < (f.until or 10**6) + RECOVERY]
        for text in alarms_of(record):
            if not any(all(word in text for word in words) for fault in near for words in fault.names):
                out.append((f"{record['night']} {record['day']}", text))
    return out


def verdict(state: State) -> list[tuple[Fault, str]]:
    """Return each fault with what became of it."""
    out = []
    for fault in state.faults:
        due = fault.first + fault.deadline
        if fault.named is None:
            out.append((fault, "NOT NAMED"))
        else:
            out.append((fault, "named" if fault.named <= due else "LATE"))
    return out


def report(faulty: State, quiet: State | None) -> tuple[str, bool]:
    """Return the report as Markdown, and whether the month held."""
    lines = [f"# A month of faults, seed {faulty.seed}", "", "| fault | from night | due | named | what was said |"]
    lines.append("| --- | ---: | ---: | ---: | --- |")
    held = True
    for fault, found in verdict(faulty):
        held = held and found == "named"
        day = "never" if fault.named is None else str(fault.named)
        said = fault.words.replace("|", " ").strip()
        lines.append(f"| {found}: {fault.text} | {fault.first} | {fault.first + fault.deadline} | {day} | {said} |")
    lines += ["", "## Cried about something else, in the month of faults", ""]
    lines += [f"- {night}: {text}" for night, text in false_alarms(faulty)] or ["nothing"]
    lines += ["", "Checks that did not pass:", "", *(unmet(faulty) or ["none"])]
    if quiet is not None:
        cried = [(f"{r['night']} {r['day']}", text) for r in quiet.records for text in alarms_of(r)]
        held = held and counted(cried) <= QUIET_ALARMS
        lines += ["", f"## Cried in the month without a fault: {counted(cried)}", ""]
        lines += [f"- {night}: {text}" for night, text in cried] or ["nothing"]
        lines += ["", "Checks that did not pass:", "", *(unmet(quiet) or ["none"])]
    return "\n".join(lines) + "\n", held


@click.command()
@click.option(
    "--seed", type=int, default=None, help="Seed of the faults and their nights (default: drawn and printed)."
)
@click.option("--before", default=60, show_default=True, help="Nights before the month.")
@click.option("--nights", default=30, show_default=True, help="Nights among which the faults are drawn.")
@click.option("--kinds", default=",".join(KINDS), show_default=True, help="Faults, by commas.")
@click.option("--no-quiet", is_flag=True, help="Leave out the month without a fault.")
@click.option(
    "--warm", type=click.Path(path_type=Path), help="Folder of an earlier campaign whose nights before are used."
)
@click.option("--folder", type=click.Path(path_type=Path), help="Where all is kept (default: a temporary folder).")
def main(
    seed: int | None, before: int, nights: int, kinds: str, no_quiet: bool, warm: Path | None, folder: Path | None
) -> None:
    """Live through the month with faults and without, and report."""
    seed = secrets.randbelow(2**31) if seed is None else seed
    print(f"seed {seed}", flush=True)
    folder = folder or Path(tempfile.mkdtemp(prefix="lotus-month-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    if warm is None:
        warm = folder / "before"
        warm.mkdir(exist_ok=True)
        State(seed, 0, before, before, [], []).write(warm)
        live(warm, is_ahead=True)
    before = State.read(warm).before
    faults = draw(random.Random(seed), before, nights, _weekday(0), tuple(kinds.split(",")))
    for fault in faults:
        print(f"night {fault.first} {next_day(FIRST_DAY, fault.first)}: {fault.text}", flush=True)
    arms = {"faulty": faults} | ({} if no_quiet else {"quiet": []})
    folders = [branched(warm, folder / name, nights + TAIL, some) for name, some in arms.items()]
    with ThreadPoolExecutor(len(folders)) as pool:
        list(pool.map(live, folders))
    states = [State.read(one) for one in folders]
    text, held = report(states[0], states[1] if len(states) > 1 else None)
    (folder / "month.txt").write_text(text)
    print(text, f"all briefs below {folder}", sep="\n")
    sys.exit(0 if held else 1)


def _weekday(night: int) -> int:
    from datetime import date

    return date.fromisoformat(next_day(FIRST_DAY, night)).weekday()


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    main()
