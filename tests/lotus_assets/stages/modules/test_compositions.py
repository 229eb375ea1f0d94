"""`lotus_store/facts/compositions.py` and the lane: begun, promoted, in force for a plan, shown, and switched off."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest
from styles_tried import INSIDE, JOIN, ONE, OWN, tried

from lotus.detectors.entry_style import EntryStyle
from lotus.knobs.compositions import SWITCHED_OFF, OtherModule, is_across
from lotus.knobs.rows import Observation
from lotus.manifest import LearningDefaults, Manifest
from lotus.modules.intents import Module
from lotus.priors.types import priors_0, priors_version
from lotus.timebase import HOUR_MS, day_start_ms, next_day
from lotus.weave.braid import Braid
from lotus.weave.night import changes
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import StageContext
from lotus_assets.stages.modules import tr_knobs
from lotus_assets.stages.modules.knob_lane import KnobLane
from lotus_assets.stages.runner import run_stage
from lotus_cli.look.lessons_page import composition_lines
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.handlers import SLOW
from lotus_modules.knobs import KnobChooser
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.facts.compositions import composition_rows
from lotus_store.ledger.beliefs import knob_nights
from lotus_store.ledger.beliefs.braids import read_registry, write_night
from lotus_store.ledger.beliefs.priors import put_in_force, put_version
from lotus_store.ledger.day_commits import DayCommit, commit_day

BEFORE, FIRST = "2026-01-04", "2026-01-05"
HASH = "0" * 32


@pytest.fixture
def ctx(settings: Settings) -> Iterator[StageContext]:
    learning = LearningDefaults(knob_alpha=0.05, knob_draws=400, search_days=1)
    opened = Lotus.open(replace(settings, manifest=replace(Manifest(), learning=learning)))
    with stage_context(opened) as made:
        yield made
    opened.close()


class Styles:
    """What a day of two detectors shows; what the trader reads of sig."""

    def __init__(self, is_on: bool = True) -> None:
        self.effect, self.is_on = -6.0, is_on

    def observed(self, _ctx: StageContext, day: str) -> Sequence[Observation]:
        return tried(2, day, {JOIN: self.effect})[0] if day >= FIRST else ()

    def other(self, ctx: StageContext, day: str) -> OtherModule | None:
        if not self.is_on or day < FIRST:
            return None
        return OtherModule(read_registry(ctx.sig, "main"), tried(2, day, {})[1])

    def inputs(self, _ctx: StageContext, _day: str) -> dict[str, str]:
        return {"compositions": str(self.is_on)}

    def lane(self) -> KnobLane:
        return replace(tr_knobs.LANE, observed=self.observed, other=self.other, other_inputs=self.inputs)


def begin(ctx: StageContext) -> None:
    """Put a lesson of sig and one of the trader in force, on a day before the first."""
    version = priors_version("main", day_start_ms(BEFORE), (OWN.active(),))
    before = priors_0("main")
    write_night(ctx.sig, "main", BEFORE, [ONE], changes([], [ONE], before, before))
    with ctx.databases.connect("tr") as tr:
        knob_nights.write_registry(tr, "tr", "main", BEFORE, [OWN], changes([], [OWN], before, version))
        put_version(tr, version, BEFORE, before, "tr")
        put_in_force(tr, version, "message", "tr")
    close(ctx, BEFORE)


def close(ctx: StageContext, day: str) -> None:
    commit_day(ctx.sig, DayCommit(ctx.branch, day, "active_priors", "x", 0, "x", {"notes": {"priors_ver": ""}}))


def composed(ctx: StageContext) -> list[Braid]:
    with ctx.databases.connect("tr") as tr:
        return [b for b in knob_nights.read_registry(tr, "tr", "main") if is_across(b)]


@pytest.mark.process("a fortnight of a lane, each night killed or repeated")
def test_a_composition_comes_into_force_whatever_is_killed_and_ends_when_it_is_switched_off(
    ctx: StageContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lotus_assets.stages.modules.knob_lane as module

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    begin(ctx)
    styles, day = Styles(), FIRST
    lane = styles.lane()
    for number in range(20):
        for name in ("write_records", "write_registry", "propose", "hand_over") if number % 4 == 0 else ():
            with monkeypatch.context() as patch:
                patch.setattr(module, name, killed)
                with suppress(KeyboardInterrupt):
                    [run_stage(ctx, stage, day) for stage in lane.stages()]
        results = [run_stage(ctx, stage, day) for stage in lane.stages()]
        assert [r.failed_checks for r in results] == [(), (), ()]
        [run_stage(replace(ctx, force=True), stage, day) for stage in lane.stages()]
        close(ctx, day)
        day = next_day(day)
        if composed(ctx):
            break
    (made,) = composed(ctx)
    assert (made.state, made.parents, made.scope) == ("active", ("t", "s"), "cross")

    def choice(detector: str) -> object:
        with ctx.databases.connect("tr") as tr:
            found = KnobChooser().choice(tr, "main", INSIDE, day_start_ms(day) + 3 * HOUR_MS, detector_id=detector)
        return found.knobs.style, found.composed

    assert choice("sweep") == (EntryStyle.CROSS, (made.braid_id,))
    assert choice("drift") == (EntryStyle.JOIN, ())
    with ctx.databases.connect("tr") as tr:
        rows = composition_rows(tr, "main", next_day(day, -1))
    assert [(r["type"], r["state"], r["detector_id"]) for r in rows] == [
        ("meta", "active", "sweep"), ("candidate", "running", "sweep"),
    ]  # fmt: skip
    text = "\n".join(composition_lines(rows))
    assert "sweep: cross, although a lesson of the trader says join where" in text
    assert "sweep: improve, although a lesson of the trader says join where" in text
    assert max(map(len, text.splitlines())) <= 120

    styles.is_on = False
    for stage in lane.stages():
        run_stage(ctx, stage, day)
    close(ctx, day)
    day = next_day(day)
    (over,) = composed(ctx)
    assert (over.braid_id, over.state, over.reason) == (made.braid_id, "sunset", SWITCHED_OFF)
    assert choice("sweep") == (EntryStyle.JOIN, ())
    carry(ctx.databases, "main")
    for receiver in (Module.SIG, Module.DM):
        assert consume(ctx.databases, receiver, SLOW[receiver], Keys(ctx.settings.keys_root), 0, "main") == {
            "applied": 1
        }, "all three modules are told of the end"


def test_where_they_are_off_nothing_of_sig_is_read(ctx: StageContext) -> None:
    assert tr_knobs.other_module(ctx, FIRST) is None
    assert tr_knobs.other_inputs(ctx, FIRST) == {}
