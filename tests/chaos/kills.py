"""`python tests/chaos/kills.py --kills N`: kill -9 the backfill and the daemon at random and compare what they leave.

Half of the kills hit the backfill, half the daemon on a replayed day; in a share of them the database server (and its
supervisor) dies too. Every run is started again until it finishes; it must then equal the undisturbed run: the same
lake and ledger, nothing twice, nothing half-written. Exit code 1 when one differs. Moments are drawn by the seed: half
of them over the undisturbed duration, half over its steps, so that short steps are hit as well. Half of a backfill's
kills (all of them with `--night`, and then nothing else is killed) hit a stage of the night, each kind as often as the
others: sums of days, lessons, second opinion, braids and their watchdog, metas, priors. With `--server` only the server
is killed; the run must fail with a sentence or go on. With `--reader` a backfill's tape is read by its own process, as
that of large days is. With `--levels` only the last day is killed, whose night takes a level of trust from a braid with
a gate, and the daemon of that day, which scores with the gate. With `--acts` acts of governance are in force, a rule of
compliance acts every night, and vetoes at once stand in the tape; the day as the daemon replays it must be batch's too.
(Literature: crash-recovery testing, fault injection.)
"""

import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

sys.path.insert(0, str(Path(__file__).parent))
warnings.filterwarnings("ignore")

import small_world  # noqa: E402
from children import Child, Marks, is_at, kill_server, spawn  # noqa: E402
from inspection import debris, inspect_home, inspect_replay  # noqa: E402
from jobs import acted_of, levels_of, open_home, run_backfill, run_replay, run_to_a_level  # noqa: E402
from small_world import DAYS, make_tape, recording, warm  # noqa: E402
from tally import Tally  # noqa: E402

LIMIT_S = 150.0
LONGEST_CHAIN = 40  # kills of one run after which it is left alone
BLANK_EVERY = 4  # so many homes begin without a database once
NIGHT = (
    "module_numbers: ", "dm_evidence: ", "dm_knowledge: ", "lesson_atoms: ", "lessons: sums", "lessons: ",
    "dr_crosscheck: ", "braids: watchdog", "braids: trust rows", "braids: ",
    "meta_braids: ", "active_priors: ", "active_priors: hand over", "governance_acts: ",
)  # fmt: skip
BACKFILL = (
    "starting the server",
    "migrations",
    "Dagster's tables",
    "writing a file",
    "between stages",
    *NIGHT,
    "leaving",
)
DAEMON = (
    "warm up",
    "replay",
    "rebuild from tape",  # of what the one before has left
    "ledger write",
    "mark file",
    "closing a segment",
    "closing",
    "leaving",
)
PASS_BY = 0.6  # chance that a kill in a night leaves a stage of its kind alone and waits for the next
BACKFILLS = 0.7  # share of the minutes that is theirs; the daemon has the rest whatever they took
TARGETS = (
    ("run", 65),
    ("run and server", 14),
    ("run, server and supervisor", 11),
    ("server", 6),
    ("server and supervisor", 4),
)
SERVER = TARGETS[3:]


@dataclass(frozen=True, slots=True)
class Calm:
    """The undisturbed run: its answer, how long it took and how many marks it made."""

    answer: dict[str, Any]
    seconds: float
    marks: int


class Chaos:
    """One campaign: a folder, the dice and the marks; `deadline` is set for each of its halves."""

    deadline = 0.0  # no kill after this moment of the monotonic clock

    def __init__(
        self,
        folder: Path,
        seed: int,
        tell: Callable[[str], None],
        night: bool,
        server: bool = False,
        reader: bool = False,
        levels: bool = False,
    ) -> None:
        """Remember the arguments; `server`: kill the database server alone; `reader`: a process reads the tape.

        `levels`: the last night changes a level.
        """
        self.folder, self.dice, self.tell = folder, random.Random(seed), tell
        self.targets = SERVER if server else TARGETS
        self.levels = levels
        self.night = 1.0 if night else 0.5  # share of a backfill's kills that hit a stage of the night
        self.marks = Marks()
        self.backfill = partial(run_backfill, marks=self.marks, reader=reader)
        self.points: list[str] = []  # failpoints still to be met in turn, in place of drawn moments
        self.all_wait = False  # a run waits at each of them, not only where one was through before it was met
        self.is_past = False  # a run was through before the next one was met

    def calm(self, job: Callable[[], Any]) -> Calm:
        """Run a job undisturbed."""
        self.marks.clear()
        child = spawn(job, self.folder / "answer.json")
        child.wait(LIMIT_S)
        return Calm(child.answer(), time.monotonic() - child.began, self.marks.count)

    def ask(self, job: Callable[[], Any]) -> Any:
        """Return the answer of a job that nobody kills."""
        child = spawn(job, self.folder / "asked.json")
        child.wait(LIMIT_S)
        return child.answer()

    def until_finished(
        self, home: Path, job: Callable[[], Any], calm: Calm, tally: Tally, kills: int, night: float = 0.0
    ) -> Any:
        """Start a job again and again, killing it while `tally` has fewer than `kills`, until it finishes."""
        for chain in range(4 * LONGEST_CHAIN):
            self.marks.clear()
            tally.attempts += 1
            self.marks.waits_at = self.points[0] if self.points and (self.is_past or self.all_wait) else ""
            child = spawn(job, self.folder / "answer.json")
            self.marks.waits_at, wounded = "", ""
            more = self.points or tally.kills < kills
            if more and chain < LONGEST_CHAIN and time.monotonic() < self.deadline:
                wounded = self.strike(child, home, calm, tally, night)
            child.wait(LIMIT_S)
            if child.status == 0:
                return child.answer()
            if not wounded:
                child.answer()
            tally.gave_up += not wounded.startswith("run")
        raise RuntimeError("a run never finished")

    def strike(self, child: Child, home: Path, calm: Calm, tally: Tally, night: float) -> str:
        """Wait for a drawn moment and kill a drawn target; return the target, "" when the run was over before."""
        names, weights = zip(*(TARGETS[:3] if self.points else self.targets), strict=True)
        target = self.dice.choices(names, weights)[0]
        if self.points:
            self.wait_for_point(child)
        elif self.dice.random() < night:
            self.wait_for_night(child)
        else:
            self.wait_for_moment(child, calm)
        phase = self.marks.last
        if not child.alive():
            self.is_past = True
            return ""
        if not target.startswith("run"):
            if not kill_server(home, with_supervisor="supervisor" in target):
                return ""
            tally.hit(target, phase, counts=self.targets is SERVER)
            return target
        if not child.kill():
            return ""
        if target != "run" and not kill_server(home, with_supervisor="supervisor" in target):
            target = "run"
        tally.hit(target, phase, counts=True)
        if self.points and phase.startswith(self.points[0]):
            del self.points[0]
            self.is_past = False
        return target

    def wait_for_point(self, child: Child) -> None:
        """Wait for the next failpoint."""
        while child.alive() and not is_at(self.marks.last, self.points[0]):
            time.sleep(0.0001)

    def wait_for_moment(self, child: Child, calm: Calm) -> None:
        """Wait for a drawn time or step of the undisturbed run."""
        by_time = self.dice.random() < 0.5
        share = self.dice.random() * self.dice.choice((1.0, 0.4))  # a run that goes on where one died is shorter
        moment_s, step, delay_s = calm.seconds * share, calm.marks * share, self.dice.uniform(0.0, 0.02)
        while child.alive() and not (
            time.monotonic() - child.began >= moment_s if by_time else self.marks.count >= step
        ):
            time.sleep(0.0005)
        time.sleep(0.0 if by_time else delay_s)

    def wait_for_night(self, child: Child) -> None:
        """Wait for a drawn stage of a night and a drawn moment in it; a run without one is left alone."""
        wanted, delay_s, seen = self.dice.choice(NIGHT), self.dice.choice((0.0, 0.002, 0.02)), -1
        while child.alive():
            count = self.marks.count
            if count != seen and self.marks.last.startswith(wanted):
                if self.dice.random() >= PASS_BY:
                    break
                seen = count
            time.sleep(0.0002)
        time.sleep(self.dice.random() * delay_s)


def kill_backfills(chaos: Chaos, tape: Path, kills: int) -> tuple[Tally, Path]:
    """Kill backfills; return the tally and the undisturbed home.

    At failpoints, and where a level changes, only the last day's are killed, the others are done.
    """
    tally, quiet, opened = Tally("backfill"), chaos.folder / "calm", chaos.folder / "opened"
    late = bool(chaos.points) or chaos.levels
    first = DAYS[-1] if late else DAYS[0]
    shutil.copytree(tape, opened / "tape")
    if chaos.levels:
        chaos.ask(partial(run_to_a_level, opened, chaos.marks))
    else:
        chaos.ask(partial(chaos.backfill, opened, last=DAYS[-2]) if late else partial(open_home, opened))
    if late:
        copied(opened, quiet)
    else:
        shutil.copytree(tape, quiet / "tape")
    calm = chaos.calm(partial(chaos.backfill, quiet, first=first))
    reference = chaos.ask(partial(inspect_home, quiet)) | {"summary": calm.answer}
    if chaos.levels:
        found = chaos.ask(partial(levels_of, quiet))
        chaos.tell(f"levels of the planted braid by night {found['levels']}, {found['gated']} events on a gate")
        if found["levels"][-2:] != [2, 1] or not found["gated"]:
            raise RuntimeError(f"found {found}; expected that the last night takes a level, and events on a gate")
    rows = sum(count for count, _ in reference["tables"].values())
    chaos.tell(f"backfill undisturbed: {calm.seconds:.1f} s, {calm.marks} steps, {rows} rows in the ledgers")
    while (chaos.points or tally.kills < kills) and time.monotonic() < chaos.deadline:
        home = chaos.folder / f"home-{tally.finished}"
        if late or tally.finished % BLANK_EVERY:
            copied(opened, home)
        else:
            shutil.copytree(tape, home / "tape")
        job = partial(chaos.backfill, home, first=first)
        answer = chaos.until_finished(home, job, calm, tally, kills, chaos.night)
        found = chaos.ask(partial(inspect_home, home)) | {"summary": answer}
        tally.compare(home.name, reference, found)
        chaos.tell(f"backfill: {tally.kills} of {kills} kills, {tally.finished} finished, {tally.equal} equal")
        if not tally.differences:
            shutil.rmtree(home)
    return tally, quiet


def copied(home: Path, to: Path) -> None:
    """Copy a home whose server is down, owners and all."""
    subprocess.run(["cp", "-a", home, to], check=True)


def kill_daemons(chaos: Chaos, home: Path, kills: int) -> Tally:
    """Kill the daemon in a home with learned priors: on one session at 240 times its pace, on a day at full speed."""
    tally = Tally("live daemon")
    plans = [(recording(home, 1), 240.0), (recording(home, 2), 0.0)]
    calms, references = [], []
    for k, (files, speed) in enumerate(plans):
        name = f"calm-{k}"
        calms.append(chaos.calm(partial(run_replay, home, chaos.marks, files, speed, name)))
        kept = {key: value for key, value in calms[-1].answer.items() if key != "rebuilt"}
        references.append(chaos.ask(partial(inspect_replay, home, name)) | {"answer": kept})
        chaos.tell(f"daemon undisturbed: {calms[-1].seconds:.1f} s, {kept['status']['events']} events")
    if small_world.IS_ACTED:
        found = chaos.ask(partial(acted_of, home))
        chaos.tell(f"acts in force, windows that acts barred, and people, by day: {found['acted']}")
        barred = all(by_people for *_, by_people in [*found["acted"].values()][2:])
        if found["hash"] != calms[-1].answer["hash"] or not barred:
            raise RuntimeError(f"batch has {found}, the daemon {calms[-1].answer['hash']}; expected one hash, and bars")
    while (chaos.points or tally.kills < kills) and time.monotonic() < chaos.deadline:
        k, name = tally.finished % len(plans), f"run-{tally.finished}"
        files, speed = plans[k]
        job = partial(run_replay, home, chaos.marks, files, speed, name)
        answer = chaos.until_finished(home, job, calms[k], tally, kills)
        kept = {key: value for key, value in answer.items() if key != "rebuilt"}
        tally.compare(name, references[k], chaos.ask(partial(inspect_replay, home, name)) | {"answer": kept})
        chaos.tell(f"daemon: {tally.kills} of {kills} kills, {tally.finished} finished, {tally.equal} equal")
    return tally


@click.command()
@click.option("--kills", default=200, show_default=True, type=click.IntRange(2), help="Kills, half of them each.")
@click.option("--seed", default=1, show_default=True, help="Seed of the moments and targets.")
@click.option("--minutes", default=45.0, show_default=True, help="No kill after this time; what runs is finished.")
@click.option("--night", is_flag=True, help="Kill only backfills, inside the stages of a night.")
@click.option("--server", is_flag=True, help="Kill the database server, with its supervisor or not, and nothing else.")
@click.option("--reader", is_flag=True, help="Have a process of its own read the tape, as that of large days is.")
@click.option("--levels", is_flag=True, help="Kill a last day whose night changes a level of trust, and its daemon.")
@click.option("--acts", is_flag=True, help="Over acts of governance and vetoes at once.")
@click.option("--each", is_flag=True, help="Kill once at every failpoint, in turn, and no more.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
@click.option("--keep", is_flag=True, help="Keep the folder even when everything was equal.")
def main(
    kills: int,
    seed: int,
    minutes: float,
    night: bool,
    server: bool,
    reader: bool,
    levels: bool,
    acts: bool,
    each: bool,
    as_json: bool,
    keep: bool,
) -> None:
    """Kill the backfill and the daemon, compare what they leave with undisturbed runs."""
    began = time.monotonic()

    def tell(text: str) -> None:
        print(f"[{time.monotonic() - began:6.1f} s] {text}", file=sys.stderr, flush=True)

    small_world.IS_ACTED = acts
    folder = Path(tempfile.mkdtemp(prefix="lotus-chaos-"))
    folder.chmod(0o755)
    chaos = Chaos(folder, seed, tell, night, server, reader, levels)
    warm()
    chaos.ask(partial(make_tape, folder))
    chaos.deadline = time.monotonic() + 60 * minutes * (1.0 if night else BACKFILLS)
    if each:
        kills, chaos.points, chaos.all_wait = 0, list(BACKFILL), True
    first, quiet = kill_backfills(chaos, folder / "tape", kills if night else kills // 2)
    missed, chaos.points, chaos.all_wait = chaos.points, list(DAEMON) * each, False
    chaos.deadline = max(chaos.deadline, time.monotonic()) + 60 * minutes * (1.0 - BACKFILLS)
    second = Tally("live daemon") if night else kill_daemons(chaos, quiet, kills - kills // 2)
    left = [str(p) for p in folder.rglob("postmaster.pid")] + debris(folder)
    wrong = first.differences + second.differences + left
    missed += chaos.points
    enough = first.kills + second.kills >= kills and not missed
    result = {
        "kills": first.kills + second.kills,
        "equal": not wrong,
        "left_behind": left,
        "missed": missed,
        "seconds": round(time.monotonic() - began, 1),
        "backfill": first.as_json(),
        "daemon": second.as_json(),
    }
    verdict = "every finished run equals the undisturbed one" if not wrong else "SOME RUNS DIFFER"
    text = "\n".join([first.as_text(), second.as_text(), f"{result['kills']} kills, {result['seconds']} s: {verdict}"])
    print(json.dumps(result) if as_json else text)
    if wrong or keep:
        tell(f"kept {folder}")
    else:
        shutil.rmtree(folder)
    sys.exit(0 if enough and not wrong else 1)


if __name__ == "__main__":
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
    main()
