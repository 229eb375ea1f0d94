"""A share of the book's windows tries a knob of the policy: one row each, the decision of the draw, nothing else."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.allocation.problem import Problem, Solution
from lotus.decision.allocation.solver import FastSolver
from lotus.decision.alphas import AlphaInput
from lotus.decision.book import CoinMarket
from lotus.decision.decide import AccountMandate, decide
from lotus.decision.knowledge.calibration import Cell, ScoreCalibration
from lotus.decision.knowledge.feedback import DecisionMemory
from lotus.decision.policy.experiments import PolicyExperiment
from lotus.decision.policy.policy import KNOBS, Policy, shipped_policy
from lotus.decision.wishes import Wish
from lotus.hashing import natural_id
from lotus.knobs.experiment import drawn_experiment
from lotus.modules.intents import Module
from lotus.priors.types import ActiveBraid, Knob, Patch, PriorsVersion, Rule, priors_version
from lotus.timebase import BLOCK_MS, day_of, next_day
from lotus_herald.keys import Keys
from lotus_modules.dm.allocate import Allocator, Decided, PortfolioSnapshot, WindowOutcome
from lotus_modules.knobs import PolicyChooser
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.beliefs.policy_trials import policy_trials_of
from lotus_store.ledger.beliefs.priors import in_force_at
from lotus_store.ledger.trading.inputs import book_inputs, put_view
from lotus_store.ledger.trading.knowledge import Knowledge
from lotus_store.ledger.trading.wishes import put_wish

END_MS = 1_735_689_600_000 + 3 * BLOCK_MS
POLICY = shipped_policy()
TRIED = ("policy:orthogonality_floor", "policy:turnover_penalty")
CONTEXT = "4" + 11 * "-"


def knowledge() -> Knowledge:
    """What a night knew: a source whose promise the costs of one way almost use up, and two coins alike."""
    cell = Cell(("det:sr@1", 300, ""), (0.0, 1.0), (12.0, 12.0), 20.0, 3600.0, 5000.0)
    matrix = np.array([[16.0, 6.0], [6.0, 25.0]])
    risk = Covariance(("BTC", "ETH"), matrix, 60.0, END_MS - 60_000, 0.1, 1000)
    return Knowledge("2024-12-31", ScoreCalibration("2025-01-01", (cell,), 200.0, "3" * 32), DecisionMemory(), risk, {})


def portfolio(now_ms: int, **held: float) -> PortfolioSnapshot:
    markets = {coin: CoinMarket(1.0, 1e10, 1e10, 40.0) for coin in ("BTC", "ETH")}
    return PortfolioSnapshot(now_ms, 100_000.0, held, {"BTC": 100_000.0, "ETH": 4_000.0}, markets)


class Counting:
    """A solver that counts what it solves."""

    def __init__(self) -> None:
        self.solver, self.solved = FastSolver(), 0

    def solve(self, problem: Problem) -> Solution:
        self.solved += 1
        return self.solver.solve(problem)


@pytest.fixture
def solver() -> Counting:
    return Counting()


@pytest.fixture
def allocator(keys: Keys, solver: Counting) -> Allocator:
    authority = AccountMandate("book", ("local:market",), 1.0, 4.0)
    return Allocator("main", "book", authority, solver.solve, PolicyChooser(POLICY, explore=1.0), keys)


@pytest.fixture
def dm(databases: Databases) -> Iterator[Connection]:
    with databases.connect("dm", autocommit=True) as connection:
        yield connection


def told(dm: Connection, window_end_ms: int, coin: str = "BTC") -> None:
    """Tell a view of a coin that lives for the next windows."""
    name, end_ms = natural_id("view", coin, window_end_ms), window_end_ms + 300_000
    put_view(dm, "main", AlphaInput("det:sr@1", coin, 300, 1, 0.5, name, name, window_end_ms, end_ms, "all"), CONTEXT)


def window(dm: Connection, allocator: Allocator, k: int, **held: float) -> Decided:
    end_ms = END_MS + 5_000 * k
    return allocator.window(dm, end_ms, portfolio(end_ms + 100, **held), knowledge())


def rows(dm: Connection) -> list[PolicyExperiment]:
    days = [day_of(END_MS), next_day(day_of(END_MS))]
    return [row for day in days for row in policy_trials_of(dm, "main", day)]


def drawn(k: int) -> Any:
    end_ms = END_MS + 5_000 * k
    name = natural_id("book decision", "main", "book", end_ms)
    return drawn_experiment(name, end_ms + 100, TRIED, 1.0, 1.06, 7)


def sizes(decided: Decided) -> dict[str, float]:
    assert decided.decision is not None
    return {t.coin: t.weight for t in decided.decision.targets}


def test_a_window_in_a_trial_is_decided_as_drawn_and_leaves_one_row(
    dm: Connection, allocator: Allocator, solver: Counting
) -> None:
    told(dm, END_MS)
    plain = replace(allocator, chooser=PolicyChooser(POLICY))
    for k in range(8):
        solver.solved = 0
        found = window(dm, allocator, k)
        assert found.outcome is WindowOutcome.SENT
        assert solver.solved == 1 + drawn(k).arm, "only a moved knob costs a second solve"
        assert window(dm, allocator, k).outcome is WindowOutcome.DECIDED_BEFORE
        row = next(r for r in rows(dm) if r.window_end_ms == END_MS + 5_000 * k)
        assert found.decision is not None
        assert (row.trial, row.context) == (drawn(k), CONTEXT[:1] + 11 * "-")
        assert row.name == natural_id("book decision", "main", "book", row.window_end_ms)
        assert {leg.coin: leg.weight for leg in row.legs} == sizes(found), "the draw is what was decided and told"
        assert {t["coin"]: t["weight"] for t in found.ticket["targets"]} == sizes(found)
        assert knob(found.decision.state.policy, row.trial.key) == pytest.approx(
            knob(POLICY, row.trial.key) * row.trial.mult
        )
        state = replace(found.decision.state, policy=POLICY)
        assert {leg.coin: leg.start for leg in row.legs} == at_start(plain, state), (
            "the same state, the knob at its start"
        )
        assert row.time_ms == END_MS + 5_000 * k + 100
        assert row.matures_ms == row.time_ms + 300_000
    assert len(rows(dm)) == 8
    assert {r.trial.arm for r in rows(dm)} == {0, 1}


def knob(policy: Policy, key: str) -> float:
    name = key.removeprefix("policy:")
    return float(getattr(getattr(policy, KNOBS[name]), name))


def at_start(allocator: Allocator, state: Any) -> dict[str, float]:
    end_ms = END_MS
    views = [
        AlphaInput("det:sr@1", "BTC", 300, 1, 0.5, (n := natural_id("view", "BTC", end_ms)), n, end_ms,
                   end_ms + 300_000, "all")
    ]  # fmt: skip
    return {t.coin: t.weight for t in decide(state, views, [], (), allocator.solve).targets}


def test_a_quiet_window_counts_as_much_as_one_that_is_told(dm: Connection, allocator: Allocator) -> None:
    """Whether a window is quiet may follow from the side that was drawn, so rows cannot depend on it."""
    for k in range(4):
        assert window(dm, allocator, k, BTC=0.00001).outcome in (WindowOutcome.QUIET, WindowOutcome.SENT)
    assert [len(r.legs) for r in rows(dm)] == [1] * 4


def test_without_anything_to_decide_on_there_is_no_row(dm: Connection, allocator: Allocator) -> None:
    assert window(dm, allocator, 0).outcome is WindowOutcome.QUIET
    assert rows(dm) == []


def test_without_a_share_nothing_is_written_and_a_window_is_solved_once(
    dm: Connection, allocator: Allocator, solver: Counting
) -> None:
    told(dm, END_MS)
    quiet = replace(allocator, chooser=PolicyChooser(POLICY, explore=0.0))
    for k in range(6):
        window(dm, quiet, k)
    assert (solver.solved, rows(dm)) == (6, [])


@pytest.mark.parametrize("place", ["put_standing", "put_policy_trial", "send"])
def test_a_kill_anywhere_leaves_the_same_end(
    dm: Connection, allocator: Allocator, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def dies(*_: object, **_named: object) -> None:
        raise KeyboardInterrupt

    told(dm, END_MS)
    with monkeypatch.context() as patched:
        patched.setattr(f"lotus_modules.dm.allocate.{place}", dies)
        with pytest.raises(KeyboardInterrupt):
            window(dm, allocator, 0)
    assert (rows(dm), book_inputs(dm, "main", "book", 0).last_ms) == ([], -1)
    assert dm.execute("SELECT count(*) FROM dm_decisions").fetchone() == (0,)
    found = window(dm, allocator, 0)
    (row,) = rows(dm)
    assert {leg.coin: leg.weight for leg in row.legs} == sizes(found)
    assert row.trial == drawn(0)


def put_in_force(databases: Databases, keys: Keys, version: PriorsVersion) -> None:
    """Put a version of dm in force as a night does."""
    day = day_of(version.effective_from_ms)
    with databases.connect("dm") as dm:
        before = in_force_at(dm, "main", version.effective_from_ms - 1, "dm")
        propose(dm, version, day, before.priors_ver, keys, Module.DM)
    hand_over(databases, version, keys, version.effective_from_ms - 1000, Module.DM)


def test_a_braid_in_force_does_not_act_on_the_knob_that_is_tried(
    databases: Databases, dm: Connection, allocator: Allocator, keys: Keys
) -> None:
    braids = tuple(
        ActiveBraid(key, "micro", POLICY.owner_of(key.removeprefix("policy:")), 60, Rule(),
                    Patch(knobs=(Knob(key, 1.03),)), scope="dm")
        for key in TRIED
    )  # fmt: skip
    version = priors_version("main", END_MS - 1000, braids)
    put_in_force(databases, keys, version)
    told(dm, END_MS)
    for k in range(6):
        decision = window(dm, allocator, k).decision
        assert decision is not None
        trial, policy = drawn(k), decision.state.policy
        (other,) = {*TRIED} - {trial.key}
        assert decision.state.priors_ver == version.priors_ver
        assert knob(policy, trial.key) == pytest.approx(knob(POLICY, trial.key) * trial.mult)
        assert knob(policy, other) == pytest.approx(knob(POLICY, other) * 1.03)
    decision = window(dm, replace(allocator, chooser=PolicyChooser(POLICY)), 9).decision
    assert decision is not None
    assert [knob(decision.state.policy, key) for key in TRIED] == pytest.approx(
        [knob(POLICY, key) * 1.03 for key in TRIED]
    )


def test_a_wish_in_force_moves_what_the_window_expects_in_both_arms_and_is_told(
    dm: Connection, allocator: Allocator
) -> None:
    told(dm, END_MS)
    plain = window(dm, replace(allocator, portfolio_id="plain"), 0)
    day = day_of(END_MS)
    wish = Wish("", "main", "BTC", 0.05, "ada", "listing on Friday", day, next_day(day)).named()
    put_wish(dm, wish, "m")
    put_wish(dm, replace(wish, from_day=next_day(day), log=-0.1, until_day=next_day(day, 2)).named(), "m")
    found = window(dm, allocator, 0)
    assert plain.decision is not None
    assert found.decision is not None
    (before,), (after,) = plain.decision.targets, found.decision.targets
    assert after.mu_bps == pytest.approx(before.mu_bps * np.exp(0.05))
    (nudge,) = found.ticket["curation"]["nudges"]
    assert (nudge["log"], [told["act_id"] for told in nudge["wishes"]]) == (0.05, [wish.act_id])
