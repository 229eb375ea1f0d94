"""The decision-maker's lane on real databases: windows that tried a knob of the policy become one in force, or none."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lotus.columns import TableSpec
from lotus.decision.allocation.covariance import Covariance
from lotus.decision.allocation.solver import FastSolver
from lotus.decision.alphas import AlphaInput
from lotus.decision.book import CoinMarket
from lotus.decision.decide import AccountMandate
from lotus.decision.knowledge.calibration import Cell, ScoreCalibration
from lotus.decision.knowledge.feedback import DecisionMemory
from lotus.decision.policy.experiments import ExperimentLeg, PolicyExperiment, observation_of, value_bps
from lotus.decision.policy.policy import shipped_policy
from lotus.errors import BeliefError
from lotus.hashing import natural_id
from lotus.knobs.experiment import drawn_experiment
from lotus.knobs.rows import Observation
from lotus.manifest import LearningDefaults, Manifest
from lotus.microtape.frames.spec import FLOAT_COLUMNS, INT_COLUMNS
from lotus.modules.intents import Module
from lotus.priors.context import context_text, market_context
from lotus.priors.types import priors_0
from lotus.timebase import DAY_MS, HOUR_MS, day_start_ms, next_day
from lotus.weave.review import ReviewAct
from lotus_assets.bodies import stage_context
from lotus_assets.stages.context import StageContext, StageResult
from lotus_assets.stages.modules import dm_knobs
from lotus_assets.stages.modules.knob_lane import EFFECT, KnobLane
from lotus_assets.stages.runner import run_stage
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_modules.dm.allocate import Allocator, PortfolioSnapshot
from lotus_modules.handlers import SLOW
from lotus_modules.knobs import PolicyChooser
from lotus_modules.priors.rollback import roll_back
from lotus_resources.lotus_resource import Lotus
from lotus_store.config import Settings
from lotus_store.ledger.beliefs.knob_nights import read_lessons, read_records, read_registry
from lotus_store.ledger.beliefs.policy_trials import policy_trials_of, put_policy_trial
from lotus_store.ledger.beliefs.priors import in_force_at, swaps, versions
from lotus_store.ledger.beliefs.reviews import read_reviews
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.ledger.trading.inputs import put_view
from lotus_store.ledger.trading.knowledge import Knowledge

FIRST = "2026-01-05"
POLICY = shipped_policy()
KEY, OWNER = "policy:turnover_penalty", POLICY.owner_of("turnover_penalty")
NAMES = ("dm_trials", "dm_lessons", "dm_braids")
COINS = ("BTC", "ETH")
FRAME = {c.name: c.column() for c in (*INT_COLUMNS, *FLOAT_COLUMNS)}
FRAMES = TableSpec("microtape_frames", ("end_ms",), (FRAME["end_ms"], FRAME["mid"]))
CADENCE_MS = 1000


@pytest.fixture
def ctx(settings: Settings) -> Iterator[StageContext]:
    learning = LearningDefaults(knob_alpha=0.05, knob_draws=400)
    opened = Lotus.open(replace(settings, manifest=replace(Manifest(), learning=learning)))
    with stage_context(opened) as made:
        yield made
    opened.close()


def run(ctx: StageContext, lane: KnobLane, day: str) -> list[StageResult]:
    results = [run_stage(ctx, stage, day) for stage in lane.stages()]
    assert [(r.stage, r.failed_checks) for r in results] == [(name, ()) for name in NAMES]
    return results


def close(ctx: StageContext, day: str) -> None:
    """The detectors' part of the night, after which the next day may begin."""
    commit_day(ctx.sig, DayCommit(ctx.branch, day, "active_priors", "x", 0, "x", {"notes": {"priors_ver": ""}}))


def simulated(day: str, hot_bps: float, n: int = 400) -> list[Observation]:
    """Windows that tried the turnover penalty: moved, the book holds more of a coin that pays where it is volatile."""
    rng, out = np.random.default_rng(int(day.replace("-", ""))), []
    for i in range(n):
        at_ms = day_start_ms(day) + int(rng.integers(DAY_MS - 300_000))
        trial = drawn_experiment(f"{day} {i}", at_ms, [KEY], 1.0, 1.06, 7)
        assert trial is not None
        bins = rng.integers(0, [5, 3, 5, 5, 5, 5, 5, 5, 5, 4, 5, 5])
        r = 40.0 * rng.standard_normal() + hot_bps * (bins[0] >= 3)
        leg = ExperimentLeg("BTC", 0.0, 0.2 + 0.05 * trial.arm, 0.2, 0.5)
        context = context_text(market_context(["".join(map(str, bins))]))
        row = PolicyExperiment(f"{day} {i}", "book", at_ms - 100, at_ms, 300, OWNER, context, "", trial, (leg,))
        ends = np.array([at_ms, at_ms + 300_000])
        out.append(observation_of(row, {"BTC": (ends, np.array([1e4, 1e4 + r]))}, 10_000))
    return out


class World:
    """What the days show: `hot_bps` more of a coin's return where its volatility is high."""

    def __init__(self, hot_bps: float) -> None:
        self.hot_bps = hot_bps

    def observed(self, _ctx: StageContext, day: str) -> Sequence[Observation]:
        return simulated(day, self.hot_bps)


def nights(ctx: StageContext, lane: KnobLane, n: int) -> str:
    """Run so many days; return the one after them."""
    day = FIRST
    for _ in range(n):
        run(ctx, lane, day)
        close(ctx, day)
        day = next_day(day)
    return day


@pytest.mark.process("fourteen nights of a lane")
def test_a_knob_that_pays_somewhere_is_in_force_there_and_the_book_is_decided_with_it(ctx: StageContext) -> None:
    lane, keys = replace(dm_knobs.LANE, observed=World(60.0).observed), Keys(ctx.settings.keys_root)
    day = nights(ctx, lane, 13)
    at_ms, last = day_start_ms(day) + 3 * HOUR_MS, next_day(day, -1)
    hot, calm = "4" + 11 * "-", "0" + 11 * "-"
    with ctx.databases.connect("dm") as dm:
        (braid,) = [b for b in read_registry(dm, "dm", "main") if b.in_force]
        version = in_force_at(dm, "main", at_ms, "dm")
        lessons = {x.lesson_id: x for k in range(13) for x in read_lessons(dm, "dm", "main", next_day(FIRST, k))}
        chosen = {text: PolicyChooser(POLICY).choice(version, [text], at_ms, "w") for text in (hot, calm)}
        effects = read_records(dm, "dm", "main", last, EFFECT)
    assert (braid.detector_id, braid.scope, braid.grade) == (OWNER, "dm", "B"), "a model of the way in and out: never A"
    assert lessons[braid.lesson_id].grade == "B"
    assert version.braids == (braid.active(),)
    assert 1.0 < braid.patch.knob(KEY) <= ctx.manifest.weave.phi_step
    start = POLICY.soft.turnover_penalty
    assert chosen[hot].policy.soft.turnover_penalty == pytest.approx(start * braid.patch.knob(KEY))
    assert chosen[hot].priors_ver == version.priors_ver
    assert chosen[calm].policy == POLICY
    assert effects[OWNER]["plans"] == 13 * 400
    carry(ctx.databases, "main")
    for module in (Module.SIG, Module.TR):
        assert set(consume(ctx.databases, module, SLOW[module], keys, 0, "main")) == {"applied"}
    it_goes_back(ctx, lane, version.priors_ver)


def it_goes_back(ctx: StageContext, lane: KnobLane, held: str) -> None:
    """A person takes the policy back to where it started: the next night's board follows, and both are kept."""
    act = ReviewAct("", "main", "", "rollback", priors_0("main").priors_ver, "ann", note="too eager")
    keys = Keys(ctx.settings.keys_root)
    version = roll_back(ctx.databases, act, keys, Module.DM)
    with pytest.raises(BeliefError, match="has the braids of"):
        roll_back(ctx.databases, act, keys, Module.DM)
    with ctx.databases.connect("dm") as dm:
        assert [v.priors_ver for v, _, _ in versions(dm, "main", "dm")][-2:] == [held, version.priors_ver]
        assert in_force_at(dm, "main", version.effective_from_ms, "dm").braids == ()
        (said,) = read_reviews(dm, "main", next_day(FIRST, 12), "dm")
    assert (said.kind, said.author, said.note) == ("rollback", "ann", "too eager")
    run(ctx, lane, next_day(FIRST, 13))
    with ctx.databases.connect("dm") as dm:
        reasons = [b.reason for b in read_registry(dm, "dm", "main") if not b.in_force]
    assert any(f"rolled back to version {version.priors_ver}" in reason for reason in reasons)


@pytest.mark.process("a dozen nights of a lane")
def test_where_moving_the_knob_pays_nowhere_nothing_is_in_force(ctx: StageContext) -> None:
    day = nights(ctx, replace(dm_knobs.LANE, observed=World(0.0).observed), 13)
    with ctx.databases.connect("dm") as dm:
        assert [b for b in read_registry(dm, "dm", "main") if b.in_force] == []
        assert swaps(dm, "main", "dm") == []
        at_ms = day_start_ms(day)
        choice = PolicyChooser(POLICY).choice(in_force_at(dm, "main", at_ms, "dm"), ["4" + 11 * "-"], at_ms, "w")
    assert choice.policy is POLICY


def frames(ctx: StageContext, day: str, seed: int, coins: Sequence[str] = COINS) -> dict[str, np.ndarray]:
    """Write and commit a day of frames; return the mids by coin."""
    rng, parts, mids = np.random.default_rng(seed), [], {}
    ends = day_start_ms(day) + CADENCE_MS * np.arange(1, DAY_MS // CADENCE_MS, dtype=np.int64)
    for asset in ctx.manifest.universe:
        n = len(ends) if asset.name in coins else 0
        mids[asset.name] = 1e4 * np.exp(np.cumsum(rng.normal(size=n) * 1e-4))
        rows = {"end_ms": ends[:n], "mid": mids[asset.name]}
        parts.append(ctx.lake.write(FRAMES, ctx.tape_branch, day, rows, asset.name).content_hash)
    commit_day(ctx.sig, DayCommit(ctx.tape_branch, day, FRAMES.name, "".join(parts), 0, ""))
    return mids


def decided(ctx: StageContext, first_ms: int, n: int, tmp_path: Path) -> None:
    """Decide windows of five seconds for a book, each in a trial, from a view that is told before the first."""
    cell = Cell(("det:sr@1", 300, ""), (0.0, 1.0), (12.0, 12.0), 20.0, 3600.0, 5000.0)
    risk = Covariance(COINS, np.array([[16.0, 6.0], [6.0, 25.0]]), 60.0, first_ms - 60_000, 0.1, 1000)
    known = Knowledge(
        "2026-01-04", ScoreCalibration("2026-01-05", (cell,), 200.0, "3" * 32), DecisionMemory(), risk, {}
    )
    allocator = Allocator(
        "main", "book", AccountMandate("book", ("local:market",), 1.0, 4.0), FastSolver().solve,
        PolicyChooser(POLICY, explore=1.0), Keys(tmp_path / "keys"),
    )  # fmt: skip
    markets = {coin: CoinMarket(1.0, 1e10, 1e10, 40.0) for coin in COINS}
    with ctx.databases.connect("dm", autocommit=True) as dm:
        for coin in COINS:
            name = natural_id("view", coin)
            view = AlphaInput("det:sr@1", coin, 300, 1, 0.5, name, name, first_ms, first_ms + 300_000, "all")
            put_view(dm, "main", view, "4" + 11 * "-")
        for k in range(n):
            at_ms = first_ms + 5000 * k
            portfolio = PortfolioSnapshot(at_ms + 100, 100_000.0, {"BTC": 0.05}, {"BTC": 1e5, "ETH": 4e3}, markets)
            allocator.window(dm, at_ms, portfolio, known)


def trials_of_day(ctx: StageContext, day: str) -> tuple[StageResult, dict[str, dict[str, object]]]:
    result = run_stage(ctx, dm_knobs.TRIALS, day)
    assert result.failed_checks == ()
    table = ctx.lake.read("dm_trials", ctx.branch, day)
    names = table["event_id"].tolist()
    return result, {name: {c: v[i] for c, v in table.items()} for i, name in enumerate(names)}


def test_decided_windows_are_valued_by_the_frames_on_the_day_their_horizon_ends(
    ctx: StageContext, tmp_path: Path
) -> None:
    """Twenty windows before midnight, of which those of the last five minutes come out on the next day."""
    day, after = FIRST, next_day(FIRST)
    decided(ctx, day_start_ms(after) - 350_000, 20, tmp_path)
    mids = {d: frames(ctx, d, k) for k, d in enumerate((day, after))}
    with ctx.databases.connect("dm") as dm:
        rows = {row.name: (d, row) for d in (day, after) for row in policy_trials_of(dm, "main", d)}
    assert {d for d, _ in rows.values()} == {day, after}
    found = {d: trials_of_day(ctx, d) for d in (day, after)}
    whole = {c: np.concatenate([mids[day][c], mids[after][c]]) for c in COINS}
    ends = np.concatenate([day_start_ms(d) + CADENCE_MS * np.arange(1, DAY_MS // CADENCE_MS) for d in (day, after)])

    def mid(coin: str, at_ms: int) -> float:
        return float(whole[coin][ends <= at_ms][-1])

    for name, (d, row) in rows.items():
        told = found[d][1][name]
        r = np.array([1e4 * (mid(g.coin, row.matures_ms) / mid(g.coin, row.time_ms) - 1) for g in row.legs])
        held, w, start, costs = (
            np.array([getattr(g, what) for g in row.legs]) for what in ("held", "weight", "start", "cost_bps")
        )
        v, m = value_bps(w, held, r, costs), value_bps(start, held, r, costs)
        assert told["outcome"] == pytest.approx(v, abs=1e-9)
        assert told["f"] == pytest.approx((row.trial.arm - 0.5) * (v - m), abs=1e-9)
        assert (told["window_end_ms"], told["published"]) == (row.matures_ms, row.trial.arm == 1)
        assert told["fill_source"] == ("tape_sim" if row.trial.arm else "")
        assert told["f"] == 0.0 or row.trial.arm == 1
    assert sum(r.rows for r, _ in found.values()) == len(rows) == 20
    assert any(f["f"] != 0.0 for _, table in found.values() for f in table.values())
    first = found[after][0]
    assert run_stage(ctx, dm_knobs.TRIALS, after) is first, "nothing is computed again"
    assert run_stage(replace(ctx, force=True), dm_knobs.TRIALS, after).content_hash == first.content_hash


def test_a_window_without_frames_at_an_end_does_not_count_and_is_told(ctx: StageContext, tmp_path: Path) -> None:
    decided(ctx, day_start_ms(FIRST) + HOUR_MS, 4, tmp_path)
    with pytest.raises(BeliefError, match="microtape_frames"):
        run_stage(ctx, dm_knobs.TRIALS, FIRST)
    frames(ctx, FIRST, 1, coins=("BTC",))
    result, told = trials_of_day(ctx, FIRST)
    assert told == {}
    assert (result.notes["unmeasured"], result.rows) == (4, 0)


def test_a_day_without_trials_needs_no_frames_and_a_row_is_written_once(ctx: StageContext) -> None:
    assert run_stage(ctx, dm_knobs.TRIALS, FIRST).rows == 0
    trial = drawn_experiment("w", 0, [KEY], 1.0, 1.06, 7)
    assert trial is not None
    row = PolicyExperiment(
        "w", "book", 5, 6, 300, OWNER, 12 * "-", "", trial, (ExperimentLeg("BTC", 0.0, 0.1, 0.1, 5.0),)
    )
    with ctx.databases.connect("dm") as dm:
        put_policy_trial(dm, "main", row)
        put_policy_trial(dm, "main", replace(row, owner="another"))
        assert policy_trials_of(dm, "main", "1970-01-01") == [row]
        assert policy_trials_of(dm, "other", "1970-01-01") == []


def test_every_knob_of_the_policy_has_an_owner_of_its_own() -> None:
    keys = dm_knobs.keys()
    assert keys[OWNER] == KEY
    assert len(keys) == len(set(keys.values())) == len(POLICY.knobs)
