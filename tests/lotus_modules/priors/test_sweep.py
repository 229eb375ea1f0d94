"""The hourly watchdog on a ledger: rows, alerts and patch once, by the daemon's clock, and again after a kill."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace

import pytest

from lotus.modules.intents import Module
from lotus.priors.types import IDENTITY, Knob, Literal, Patch, Rule, priors_0, priors_version
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms
from lotus.weave.braid import Braid, Quality
from lotus.weave.night import BraidEvent
from lotus_assets.bodies import stage_context
from lotus_assets.catalogue import EXTERNAL_BELIEF
from lotus_assets.jobs import watchdog
from lotus_assets.stages.chain import branch_lane
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_modules.priors.sweep import watch_between_nights
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.beliefs import knob_nights, priors
from lotus_store.ledger.beliefs.braids import read_history, read_registry, write_night
from lotus_store.ledger.beliefs.lessons import write_experiments
from lotus_store.ledger.day_commits import DayCommit, commit_day

DAY = "2026-01-18"
SWAP = day_start_ms(DAY) + DAY_MS + 2 * HOUR_MS
NOW = SWAP + 5 * HOUR_MS


def braid(name: str, **changes: object) -> Braid:
    base = Braid(
        braid_id=name, branch="main", braid_type="micro", detector_id="d", horizon_s=30, rule=Rule.of(Literal(0, 0, 3)),
        sign=1, lesson_id="l", grade="B", claim_bps=5.0, lcb_bps=2.0, ci95=(1.0, 9.0), support=100,
        quality=Quality(0.5, 0.0, 0.1, 0.1), target=Patch(-0.06, 1.03), patch=Patch(-0.03, 1.01), delta_wanted=0.2,
        delta_realised=(0.1, 0.1, 0.1), state="active", reason="accepted lesson", effective_from_ms=0,
        expires_at_ms=2**52, members_sample=(),
    )  # fmt: skip
    return replace(base, **changes)  # type: ignore[arg-type]


def committed(databases: Databases, settings: Settings, board: Sequence[Braid]) -> None:
    """A night of DAY with a board, its version in force from SWAP on."""
    version = priors_version("main", SWAP, tuple(b.active() for b in board if b.in_force))
    with databases.connect("sig") as sig:
        write_night(sig, "main", DAY, board, [BraidEvent(b.braid_id, "none", b.state, "made", "", "") for b in board])
        write_experiments(sig, "main", DAY, "run", {"lessons": {"fixtures_hash": "f" * 32}})
        write_experiments(sig, "main", DAY, "audit", {"e": {"reason": "z 9", "state": {"alarm": True}}})
        commit_day(sig, DayCommit("main", DAY, "active_priors", version.priors_ver, 1, "i"))
        propose(sig, version, DAY, priors_0("main").priors_ver, Keys(settings.keys_root))
    hand_over(databases, version, Keys(settings.keys_root), SWAP - 1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the daemon has logged; set its first entry."""
    now = [NOW]
    for module in ("rollback", "sweep"):
        monkeypatch.setattr(f"lotus_modules.priors.{module}.logged_until", lambda sig, branch: now[0])
    return now


@pytest.fixture
def lotus(settings: Settings) -> Iterator[Lotus]:
    """The open home."""
    with closing(Lotus.open(settings)) as opened:
        yield opened


def alerts(databases: Databases, module: str) -> int:
    with databases.connect(module) as sig:
        row = sig.execute(f"SELECT count(*) FROM {module}_inbox WHERE intent = 'WATCHDOG_ALERT'").fetchone()
    assert row is not None
    return int(str(row[0]))


def test_a_life_that_ended_since_the_night_is_written_told_and_in_force_once(
    databases: Databases, settings: Settings, clock: list[int]
) -> None:
    board = [braid("x", expires_at_ms=NOW - HOUR_MS), braid("y", detector_id="c"), braid("z", detector_id="e")]
    committed(databases, settings, board)
    done, why = watch_between_nights(databases, settings)
    assert done is not None, why
    assert [(a.braid_id, a.kind) for a in done.alerts] == [("x", "expired"), ("z", "audit")]
    with databases.connect("sig") as sig:
        after = {b.braid_id: b for b in read_registry(sig, "main")}
        assert [after[n].state for n in "xyz"] == ["sunset", "active", "sunset"]
        assert [h["ordinal"] for h in read_history(sig, "x")] == [0, 1]
        assert {h["fixtures_hash"] for h in read_history(sig, "x")} == {"", "f" * 32}
        assert {b.braid_id for b in priors.in_force_at(sig, "main", NOW).braids} == {"x", "y", "z"}
        now_in_force = priors.in_force_at(sig, "main", done.priors.effective_from_ms)
        assert (now_in_force.priors_ver, [b.braid_id for b in now_in_force.braids]) == (done.priors.priors_ver, ["y"])
        rows = sig.execute("SELECT count(*) FROM braid_history").fetchone()
    assert NOW < done.priors.effective_from_ms <= NOW + 2 * 60_000
    clock[0] += HOUR_MS
    again, why = watch_between_nights(databases, settings)
    assert (again, "nothing to end" in why) == (None, True)
    assert alerts(databases, "sig") == 2
    with databases.connect("sig") as sig:
        assert sig.execute("SELECT count(*) FROM braid_history").fetchone() == rows
        write_night(sig, "main", DAY, board, [])
        kept = {b.braid_id: b.state for b in read_registry(sig, "main")}
    assert kept == {"x": "sunset", "z": "sunset"}, "a night that runs again leaves what came after it"


def test_killed_before_it_was_handed_over_it_is_finished_by_the_next_hour(
    databases: Databases, settings: Settings, clock: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    committed(databases, settings, [braid("x", expires_at_ms=NOW)])
    with monkeypatch.context() as killed:
        killed.setattr("lotus_modules.priors.sweep.hand_over", lambda *given: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            watch_between_nights(databases, settings)
    clock[0] += HOUR_MS
    again, why = watch_between_nights(databases, settings)
    assert again is None, why
    with databases.connect("sig") as sig:
        assert priors.in_force_at(sig, "main", NOW + HOUR_MS).braids == ()
        assert [b.state for b in read_registry(sig, "main")] == ["sunset"]
    assert alerts(databases, "sig") == 1


def test_without_a_daemon_or_a_night_or_with_one_under_way_nothing_is_done(
    databases: Databases, settings: Settings, clock: list[int]
) -> None:
    assert "no committed day" in watch_between_nights(databases, settings)[1]
    committed(databases, settings, [braid("x", expires_at_ms=NOW)])
    clock[0] = 0
    assert "stands still" in watch_between_nights(databases, settings)[1]
    clock[0] = NOW
    with databases.connect("sig") as sig:
        commit_day(sig, DayCommit("main", "2026-01-19", "lessons", "h", 1, "i"))
    assert "under way" in watch_between_nights(databases, settings)[1]
    with databases.connect("sig") as sig:
        assert [b.state for b in read_registry(sig, "main")] == ["active"]


def test_modules_are_told_of_braids_of_their_scope(databases: Databases, settings: Settings, clock: list[int]) -> None:
    board = [
        braid("x", expires_at_ms=NOW, scope="cross", patch=IDENTITY, state="active"),
        braid("y", expires_at_ms=NOW, patch=Patch(-0.01, 1.01)),
    ]
    board[0] = replace(board[0], patch=replace(IDENTITY, phi_mult=1.01))
    committed(databases, settings, board)
    done, why = watch_between_nights(databases, settings)
    assert done is not None, why
    carry(databases, "main")
    assert (alerts(databases, "sig"), alerts(databases, "dm"), alerts(databases, "tr")) == (2, 1, 1)


@pytest.mark.parametrize("module", [Module.DM, Module.TR], ids=str)
def test_the_modules_watch_over_their_knobs_beside_what_the_night_wrote(
    databases: Databases, settings: Settings, clock: list[int], module: Module
) -> None:
    """A knob whose life ended leaves its module's priors alone, once; rows of the night stay; a killed hour goes on."""
    name, keys = module.value, Keys(settings.keys_root)
    committed(databases, settings, [braid("s")])
    knob = Patch(knobs=(Knob("policy:theta" if name == "dm" else "execution:patience", 1.02),))
    board = [braid(x, scope=name, patch=knob, target=knob, expires_at_ms=end) for x, end in (("x", NOW), ("y", 2**52))]
    version = priors_version("main", SWAP, tuple(b.active() for b in board))
    made = [BraidEvent(b.braid_id, "none", "active", "made", "", "") for b in board]
    with databases.connect(name) as own:
        knob_nights.write_registry(own, name, "main", DAY, board, made)
        propose(own, version, DAY, priors_0("main").priors_ver, keys, module)
    hand_over(databases, version, keys, SWAP - 1, module)
    done, why = watch_between_nights(databases, settings, module)
    assert done is not None, why
    assert [(a.braid_id, a.kind) for a in done.alerts] == [("x", "expired")]
    with databases.connect(name) as own:
        states = {b.braid_id: b.state for b in knob_nights.read_registry(own, name, "main")}
        assert states == {"x": "sunset", "y": "active"}
        after = priors.in_force_at(own, "main", done.priors.effective_from_ms, name)
        assert [b.braid_id for b in after.braids] == ["y"]
    with databases.connect("sig") as sig:
        assert [b.braid_id for b in priors.in_force_at(sig, "main", NOW + HOUR_MS).braids] == ["s"]
    clock[0] += HOUR_MS
    assert "nothing to end" in watch_between_nights(databases, settings, module)[1]
    with databases.connect("sig") as sig:
        commit_day(sig, DayCommit("main", "2026-01-19", f"{name}_lessons", "h", 1, "i"))
    assert "under way" in watch_between_nights(databases, settings, module)[1]


def test_a_composition_ends_with_its_parent_in_the_other_module(
    databases: Databases, settings: Settings, clock: list[int]
) -> None:
    """The trader's watchdog sees that a braid of sig has left, and takes the composition along; sig's rows stay."""
    keys = Keys(settings.keys_root)
    committed(databases, settings, [braid("s", state="sunset")])
    knob = Patch(knobs=(Knob("execution:patience", 1.02),))
    own_one = braid("o", scope="tr", patch=knob, target=knob)
    both = braid(
        "c", braid_type="meta", op="INTERSECT", parents=("o", "s"), scope="cross", patch=knob, target=knob, rule=Rule()
    )
    board = [both, own_one]
    version = priors_version("main", SWAP, tuple(b.active() for b in board))
    made = [BraidEvent(b.braid_id, "none", "active", "made", "", "") for b in board]
    with databases.connect("tr") as tr:
        knob_nights.write_registry(tr, "tr", "main", DAY, board, made, [braid("s")])
        propose(tr, version, DAY, priors_0("main").priors_ver, keys, Module.TR)
    hand_over(databases, version, keys, SWAP - 1, Module.TR)
    done, why = watch_between_nights(databases, settings, Module.TR)
    assert done is not None, why
    assert [(a.braid_id, a.kind) for a in done.alerts] == [("c", "orphaned")]
    assert [b.braid_id for b in done.priors.braids] == ["o"]


def test_the_job_reports_the_belief_and_leaves_a_branch_that_a_night_holds(lotus: Lotus, clock: list[int]) -> None:
    committed(lotus.databases, lotus.settings, [braid("x", branch=lotus.settings.branch, expires_at_ms=NOW)])
    with stage_context(lotus) as held, branch_lane(held):
        quiet = watchdog.execute_in_process(resources={"lotus": lotus})
    assert quiet.success
    assert not quiet.asset_materializations_for_node("watch_over_beliefs")
    done = watchdog.execute_in_process(resources={"lotus": lotus})
    (told,) = done.asset_materializations_for_node("watch_over_beliefs")
    assert (told.asset_key.to_user_string(), told.partition) == (EXTERNAL_BELIEF, "2026-01-19")
    assert "expired x" in str(told.metadata["acts"].value)
