"""The nights of the month in one home: a day of the world onto tape, every stage, the messages, the brief, the verdict.

`month_of_faults.py` starts this file in a process of its own on the release of a night; it goes on until a night needs
another release. What it knows stands in `state.json` of its folder.
"""

import json
import re
import shutil
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]

from month_faults import BY_RELEASE, DETECTOR_OF, Fault, as_json, broken_lines  # noqa: E402
from warm import hurry  # noqa: E402

from lotus.detectors.cards.card_table import DETECTOR_CARDS  # noqa: E402
from lotus.detectors.cards.lifecycle import LifecycleStage  # noqa: E402
from lotus.errors import LotusError  # noqa: E402
from lotus.modules.messages.monitoring import MonitorAlert, shown  # noqa: E402
from lotus.simulation import lessons  # noqa: E402
from lotus.simulation.spec import WorldSpec  # noqa: E402
from lotus.simulation.world import World  # noqa: E402
from lotus.timebase import day_start_ms, next_day  # noqa: E402
from lotus_assets.bodies import blocked, stage_context  # noqa: E402
from lotus_assets.jobs import apply_slow  # noqa: E402
from lotus_assets.stages.context import StageContext, StageResult  # noqa: E402
from lotus_assets.stages.order import LEARNING_STAGES, TAPE_STAGES  # noqa: E402
from lotus_assets.stages.runner import run_stage  # noqa: E402
from lotus_desk.watch.guards import guards_of  # noqa: E402
from lotus_herald.carry import carry  # noqa: E402
from lotus_modules.handlers import SLOW  # noqa: E402
from lotus_resources.lotus_resource import Lotus  # noqa: E402
from lotus_resources.outward import tell  # noqa: E402
from lotus_store.branch_settings import write_branch_settings  # noqa: E402
from lotus_store.config import Settings, load_settings  # noqa: E402
from lotus_store.facts.brief.day import brief_of  # noqa: E402
from lotus_store.facts.brief.page import markdown  # noqa: E402
from lotus_store.ledger.beliefs.acts import acts_of_night  # noqa: E402
from lotus_store.ledger.beliefs.braids import read_registry  # noqa: E402
from lotus_store.ledger.curation_queue import newest_alerts  # noqa: E402
from lotus_store.tape.bulk import write_segment  # noqa: E402
from lotus_store.tape.header import HeaderAsset, TapeHeader  # noqa: E402
from lotus_store.tape.store import TapeStore  # noqa: E402

NAME, BRANCH = "month", "main"
QUOTA_NS: Final = 1e9  # of all experts: it binds nobody, and has costs measured
SESSIONS: Final = (("08:00", "08:30"), ("14:00", "14:30"))
FIRST_DAY: Final = "2026-01-05"  # a Monday
MOST_NIGHTS: Final = 120
DOUBTS: Final = ("no longer earns", "e-value", "lower bound")  # what the brief says of a lesson that may be dead
LATER: Final = 3  # nights beyond its deadline in which a fault that nobody named is still there
AHEAD: Final = 6  # nights that the reader leaves to the process that learns
FLAGGED: Final = re.compile(r"^\| (look|ACT) \|")
WATCHED: Final = re.compile(r"^## .*(alarm|act|curat|veto|nudge|drift|govern|expert)", re.IGNORECASE)


def spec_of(seed: int, dead: str = "") -> WorldSpec:
    """Return the world: that of the demo in short sessions, without the lesson that is dead."""
    name = f"{NAME}-without-{dead}" if dead else NAME
    return WorldSpec(name, seed=seed, days=MOST_NIGHTS, first_day=FIRST_DAY, sessions=SESSIONS)


def worlds() -> dict[str, Any]:
    """Return the worlds of the month by name: the truth of the demo, whole and without one of its lessons."""
    planted, traps = lessons.planted_of("demo")
    out = {NAME: (planted, traps)}
    out |= {f"{NAME}-without-{one.name}": (tuple(p for p in planted if p is not one), traps) for one in planted}
    return out


@dataclass
class State:
    """What the campaign knows: its seed, the next night, nights before the month, all nights, faults, what was said."""

    seed: int
    night: int
    before: int
    nights: int
    faults: list[Fault]
    records: list[dict[str, Any]]

    @staticmethod
    def read(folder: Path) -> "State":
        """Return the state that stands in a folder."""
        plain = json.loads((folder / "state.json").read_text())
        return State(**{**plain, "faults": [Fault(**fault) for fault in plain["faults"]]})

    def write(self, folder: Path) -> None:
        """Keep the state."""
        plain = {**vars(self), "faults": as_json(self.faults)}
        (folder / "state.new").write_text(json.dumps(plain, indent=1))
        (folder / "state.new").replace(folder / "state.json")

    def on(self, night: int) -> list[Fault]:
        """Return the faults that are there on a night."""
        return [fault for fault in self.faults if fault.is_on(night)]

    @property
    def release(self) -> list[Fault]:
        """Faults of the next night that came with a release."""
        return [fault for fault in self.on(self.night) if fault.kind in BY_RELEASE]


def settings_of(home: Path) -> Settings:
    """Return the settings of the home; its branch searches in every nightly run."""
    universe = [{"name": a.name, "sz_decimals": a.sz_decimals} for a in spec_of(0).assets]
    home.mkdir(parents=True, exist_ok=True)
    write_branch_settings(home, BRANCH, {"universe": {"assets": universe}, "outcomes": {"horizons_s": [30, 300]}})
    (home / "lotus.toml").write_text(f"[compute]\nlive_ns_per_frame = {QUOTA_NS}\n")
    return load_settings(home=str(home), config=home / "lotus.toml", tape=NAME, branch=BRANCH)


def put_day(store: TapeStore, state: State, night: int) -> None:
    """Write the day of a night onto tape as the deployment received it."""
    faults = state.on(night)
    dead = next((f.how["lesson"] for f in faults if f.kind == "lesson"), "")
    world = World(spec_of(state.seed, dead))
    universe = tuple(HeaderAsset(a.name, a.sz_decimals) for a in world.spec.assets)
    store.write_header(TapeHeader(NAME, "the month of faults", universe, SESSIONS, "simulation"))
    place = store.folder / world.spec.day(night)
    draft = store.folder / f".draft-{place.name}"
    for old in (place, draft):
        shutil.rmtree(old, ignore_errors=True)
    draft.mkdir(parents=True)
    seq = 0
    with patch.dict(lessons._WORLDS, worlds()):
        for session in range(len(SESSIONS)):
            text = b"".join(chunk for _, chunk in world.span_chunks(night, session))
            seq += write_segment(draft, store.tape, broken_lines(text, faults, session), session, seq).lines
    draft.rename(place)


def run_night(lotus: Lotus, ctx: StageContext, day: str) -> tuple[list[StageResult], str]:
    """Run the stages of a day as the nightly run does, then the modules; return the results and what stopped it."""
    results: list[StageResult] = []
    stopped = ""
    try:
        for stage in (*TAPE_STAGES, *LEARNING_STAGES):
            result = run_stage(ctx, stage, day)
            results.append(replace(result, table=None, plot=None))
            if result.failed_checks:
                stopped = str(blocked(result).description)
                break
    except LotusError as error:
        stopped = f"{type(error).__name__}: {error}"
    if stopped:
        cry_failed(lotus, ctx, day, stopped)
    carry(lotus.databases, lotus.settings.branch)
    for module in SLOW:
        apply_slow(lotus, module, day_start_ms(next_day(day)))
    return results, stopped


def cry_failed(lotus: Lotus, ctx: StageContext, day: str, stopped: str) -> None:
    """Cry as the sensor `failed_runs` does over a run of Dagster, at the end of the day."""
    time_ms = day_start_ms(next_day(day))
    words = {"kind": "run_failed", "subject": "nightly", "found": shown(stopped), "expected": "a run that succeeds"}
    tell(ctx.sig, lotus.settings, [MonitorAlert(branch=ctx.branch, time_ms=time_ms, severity="error", **words)])


def brief_text(lotus: Lotus) -> str:
    """Return the newest brief as `lotus brief` has it."""
    return markdown(brief_of(lotus.settings, None, guards_of(lotus.settings.home)))


def flagged(text: str) -> list[str]:
    """Return what of a brief asks for somebody: lines that are not ok, and rows of alarms, acts and experts."""
    out, is_watched = [], False
    for line in text.splitlines():
        if line.startswith("## "):
            is_watched = bool(WATCHED.search(line))
        elif FLAGGED.match(line) or (is_watched and line.startswith("|") and not line.startswith("| ---")):
            out.append(line.replace("\\", ""))
    return out


def items(lines: list[str]) -> set[str]:
    """Return what lines say one by one, without numbers: what a line says night after night is no news."""
    return {re.sub(r"[0-9][0-9.,]*", "#", part) for line in lines for part in re.split(r"; | \| ", line)}


def judge(state: State, night: int, lines: list[str]) -> None:
    """Note which faults the brief of a night names, and mend those that were named or are beyond their deadline."""
    for fault in state.faults:
        if fault.named is None and fault.is_on(night):
            before = next((r["flagged"] for r in state.records if r["night"] == fault.first - 1), [])
            said = [part for line in lines for part in re.split(r"; | \| ", line) if not items([part]) <= items(before)]
            found = [part for part in said for words in fault.names if all(word in part for word in words)]
            if found:
                fault.named, fault.words = night, found[0][:300]
        if fault.is_on(night) and (fault.named is not None or night >= fault.first + fault.deadline + LATER):
            fault.until = night + 1


def await_belief(ctx: StageContext, state: State, night: int) -> None:
    """Put off the death of a lesson that nobody acts on; one that is believed is named by its braids.

    Of a detector that is no longer active, as after a leak, no lesson is acted on: the other lesson dies then.
    """
    for fault in state.faults:
        if fault.kind == "lesson" and fault.first == night and not fault.names:
            cards = ctx.lake.read(DETECTOR_CARDS.name, ctx.branch, spec_of(0).day(night - 1))
            active = cards["detector_id"][cards["stage"] == LifecycleStage.ACTIVE].tolist()
            drawn = fault.how["lesson"]
            fault.how["lesson"] = next((x for x in (drawn, *DETECTOR_OF) if DETECTOR_OF[x] in active), drawn)
            detector = DETECTOR_OF[fault.how["lesson"]]
            believed = [b for b in read_registry(ctx.sig, ctx.branch) if b.in_force and b.detector_id == detector]
            fault.names = [[b.braid_id[:8], said] for b in believed for said in DOUBTS]
            fault.first += not believed


def one_night(lotus: Lotus, ctx: StageContext, state: State, folder: Path) -> None:
    """Live through a night and keep what it said."""
    night, began = state.night, time.monotonic()
    day, is_watched = spec_of(0).day(night), night >= state.before
    await_belief(ctx, state, night)
    if is_watched or not lotus.tape.has(day):
        put_day(lotus.tape, state, night)
    taped = time.monotonic()
    results, stopped = run_night(lotus, ctx, day)
    ran = time.monotonic()
    text = brief_text(lotus) if is_watched else ""
    (folder / "briefs").mkdir(exist_ok=True)
    (folder / "briefs" / f"{night:03d}-{day}{'-stopped' * bool(stopped)}.md").write_text(text)
    lines = flagged(text)
    alerts = newest_alerts(ctx.sig, ctx.branch, 1000)
    seen = {a for record in state.records for a in record["alert_ids"]}
    record = {
        "night": night,
        "day": day,
        "stopped": stopped,
        "faults": [fault.text for fault in state.on(night)],
        "checks": [
            f"{r.stage} {c.name}: {c.text}" for r in results for c in r.checks if not c.passed and not c.blocking
        ],
        "acts": [
            f"{a.actor} {a.kind} {a.target} {a.value:+.4f}: {a.reason}" for a in acts_of_night(ctx.sig, ctx.branch, day)
        ],
        "alerts": [f"{a.kind} {a.subject}: {a.found}; {a.expected}" for a in alerts if a.alert_id not in seen],
        "alert_ids": [a.alert_id for a in alerts if a.alert_id not in seen],
        "flagged": lines,
        "title": next((line for line in text.splitlines() if line.startswith("**")), ""),
        "seconds": [round(taped - began, 1), round(ran - taped, 1), round(time.monotonic() - ran, 1)],
    }
    state.records.append(record)
    judge(state, night, lines)
    if stopped:
        on = state.on(night)
        for fault in [
            one for one in on if one.named == night
        ] or on:  # what stopped it is mended, and the day runs again
            fault.until = night
        if len([r for r in state.records if r["night"] == night]) > 2:
            raise SystemExit(f"night {night} stops again and again: {stopped}")
    else:
        state.night += 1
    state.write(folder)
    slow = sorted(results, key=lambda r: -sum(r.seconds.values()))[:4]
    print(
        night, day, record["seconds"], [(r.stage, round(sum(r.seconds.values()), 2)) for r in slow], stopped, flush=True
    )


def read_ahead(folder: Path, state: State) -> None:
    """Put the nights before the month on tape and run what needs no beliefs, ahead of the process that learns."""
    lotus = Lotus.open(settings_of(folder / "home"))
    with stage_context(lotus) as ctx:
        for night in range(state.night + AHEAD, state.before):
            put_day(lotus.tape, state, night)
            for stage in TAPE_STAGES:
                run_stage(ctx, stage, spec_of(0).day(night))
    lotus.close()


def main() -> None:
    """Go on with the campaign of a folder until the next night needs another release, or all nights are over."""
    folder = Path(sys.argv[1])
    state = State.read(folder)
    if sys.argv[2:] == ["ahead"]:
        return read_ahead(folder, state)
    release = as_json(state.release)
    lotus = Lotus.open(settings_of(folder / "home"))
    hurry(lotus.databases.owner_dsn("sig"))
    try:
        while state.night < state.nights and [f["how"] for f in as_json(state.release)] == [f["how"] for f in release]:
            with stage_context(lotus) as ctx:
                one_night(lotus, ctx, state, folder)
    finally:
        lotus.close()


if __name__ == "__main__":
    main()
