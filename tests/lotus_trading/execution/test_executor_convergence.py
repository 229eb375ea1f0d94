"""The engine and its orders against a venue that loses, repeats and reorders everything, then tells the truth.

Whatever happened, once the venue answers again: each order's size is the sum of its unique fills, the position is the
venue's, no order was sent twice, nothing is left resting, and every position had a stop within 5 s or was closed.
"""

import random
from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from pace import examples
from trading_plans import BTC, plan
from trading_venue import LOT, Desk, ModelVenue

from lotus.detectors.entry_style import EntryStyle, Fallback
from lotus.trading.execution.events import Close, ForeignFill, Halt, Steer, Tick
from lotus.trading.execution.executor import begin
from lotus.trading.execution.order_machine import END_RANK, Purpose
from lotus.trading.execution.orders import OrderState, Side, VenueFill
from lotus.trading.plan.styles import Styles

D = Decimal
MARKS = st.sampled_from([D(x) for x in (98_500, 99_500, 99_900, 100_000, 100_100, 100_500, 102_500)])
AT_REST = Styles(EntryStyle.JOIN, Fallback.CROSS, EntryStyle.JOIN)
STRATEGIES = (
    {"strategy": "market"},
    {"strategy": "limit", "entry_px": D(100_000), "valid_until_ms": 20_000},
    {"strategy": "twap", "duration_ms": 6_000, "slices": 4},
    {"strategy": "iceberg", "entry_px": D(100_000), "slices": 3, "valid_until_ms": 20_000},
    {"styles": AT_REST, "rest_ms": 5_000, "exit_at_ms": 15_000},
    {"styles": Styles(EntryStyle.IMPROVE, Fallback.SKIP, EntryStyle.IMPROVE), "rest_ms": 3_000, "exit_at_ms": 12_000},
    {"strategy": "twap", "duration_ms": 6_000, "slices": 4, "styles": AT_REST, "rest_ms": 2_000},
    {
        "strategy": "iceberg", "entry_px": D(100_000), "slices": 3, "valid_until_ms": 20_000, "styles": AT_REST,
        "rest_ms": 2_000,
    },
)  # fmt: skip


class Trading(RuleBasedStateMachine):
    """One execution against the model venue."""

    def __init__(self) -> None:
        """Start without a plan."""
        super().__init__()
        self.desk: Desk | None = None
        self.final: dict[str, OrderState] = {}
        self.entries_at_halt: int | None = None

    @precondition(lambda self: self.desk is None)
    @rule(side=st.sampled_from(list(Side)), strategy=st.sampled_from(STRATEGIES))
    def start(self, side: Side, strategy: dict[str, object]) -> None:
        """Begin a plan."""
        self.desk = Desk(begin(plan(side, **strategy), BTC, "model", 0), ModelVenue())
        self.desk.wait(10)

    @precondition(lambda self: self.desk is not None)
    @rule(ms=st.integers(50, 1_500))
    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.desk.wait(ms)

    @precondition(lambda self: self.desk is not None)
    @rule(mark=MARKS, share=st.sampled_from([D(0), D("0.3"), D(1)]))
    def market(self, mark: Decimal, share: Decimal) -> None:
        """Move the market: orders match, triggers fire."""
        self.desk.venue.share = share
        self.desk.venue.move(mark)

    @precondition(lambda self: self.desk is not None)
    @rule(request=st.booleans(), answer=st.booleans(), deaf=st.booleans(), drop=st.booleans(), refuse=st.booleans())
    def weather(self, request: bool, answer: bool, deaf: bool, drop: bool, refuse: bool) -> None:
        """Change what goes wrong."""
        desk = self.desk
        desk.lose_request, desk.lose_answer, desk.deaf = request, answer, deaf
        desk.venue.drop_children, desk.venue.refuse_stops = drop, refuse

    @precondition(lambda self: self.desk is not None and self.desk.venue.mail)
    @rule(pick=st.integers(0, 30), keep=st.booleans(), lose=st.booleans())
    def post(self, pick: int, keep: bool, lose: bool) -> None:
        """Deliver any letter, perhaps to come again, perhaps never."""
        mail = self.desk.venue.mail
        letter = mail[pick % len(mail)] if keep else mail.pop(pick % len(mail))
        if not lose or keep:
            self.desk.feed(letter)

    @precondition(lambda self: self.desk is not None and self.desk.venue.fills)
    @rule(since=st.integers(0, 10))
    def resend(self, since: int) -> None:
        """Send fills again, as after a new connection."""
        for fill in self.desk.venue.fills[-since:]:
            self.desk.feed(fill)

    @precondition(lambda self: self.desk is not None)
    @rule(after=st.integers(0, 2), ms=st.integers(50, 3_000))
    def kill(self, after: int, ms: int) -> None:
        """Kill the process before its next commands, or after some of them; start it again later."""
        desk = self.desk
        desk.feed(Tick())
        desk.dies_in = after
        desk.wait(ms)
        desk.now_ms += ms
        desk.restart()

    @precondition(lambda self: self.desk is not None)
    @rule()
    def look(self) -> None:
        """Show a snapshot of the open orders."""
        self.desk.feed(self.desk.snapshot())

    @precondition(lambda self: self.desk is not None and self.entries_at_halt is None)
    @rule(flatten=st.booleans())
    def halt(self, flatten: bool) -> None:
        """Stop trading."""
        self.desk.feed(Halt(flatten))
        self.entries_at_halt = self._entries()

    @precondition(lambda self: self.desk is not None)
    @rule()
    def close(self) -> None:
        """Order the position closed."""
        self.desk.feed(Close())

    @precondition(lambda self: self.desk is not None)
    @rule(lots=st.integers(0, 1_200), hold_ms=st.none() | st.integers(0, 60_000))
    def steer(self, lots: int, hold_ms: int | None) -> None:
        """Lower the ceiling, perhaps move the exit time on; a higher ceiling or an earlier time changes nothing."""
        desk = self.desk
        before, was = desk.state.ceiling, desk.state.exit_at_ms
        told = Steer(lots * LOT, None if hold_ms is None else desk.now_ms + hold_ms)
        desk.feed(told)
        after = desk.state
        desk.feed(told)
        assert (desk.state.ceiling, desk.state.exit_at_ms) == (after.ceiling, after.exit_at_ms), "a repeat changes it"
        assert after.ceiling == min(told.ceiling, told.ceiling if before is None else before)
        assert after.exit_at_ms is None or after.exit_at_ms >= max(was or 0, told.exit_at_ms or 0)

    def _purpose(self, name: str) -> Purpose:
        return self.desk.state.orders[name].purpose

    def _entries(self) -> int:
        return sum(not t.order.reduce_only for t in self.desk.venue.orders.values())

    @invariant()
    def nothing_is_believed_that_is_not_true(self) -> None:
        """Final states are the venue's and move only to stronger ones; fills are fills; the plan's size is kept."""
        if self.desk is None:
            return
        truth = self.desk.venue.orders
        for name, order in self.desk.state.orders.items():
            state, real = order.state, truth.get(name)
            assert order.filled <= (real.filled if real else 0)
            if state.is_final:
                assert (real.state if real else OrderState.NEVER_PLACED) is state
                before = self.final.get(name)
                assert before is None or END_RANK[state] >= END_RANK[before]
                self.final[name] = state
            else:
                assert name not in self.final
        entered = sum((t.filled for t in truth.values() if not t.order.reduce_only), D(0))
        assert entered <= self.desk.state.plan.size
        assert all(t.order.reduce_only for name, t in truth.items() if self._purpose(name) is not Purpose.ENTRY)
        assert abs(self.desk.venue.position) <= self.desk.state.plan.size
        assert self.entries_at_halt is None or self._entries() == self.entries_at_halt

    def teardown(self) -> None:
        """Calm down: everything must agree and end."""
        desk = self.desk
        if desk is None:
            return
        desk.calm(10_000)
        ceiling = desk.state.ceiling
        if ceiling is not None:
            assert (desk.state.held - ceiling) * desk.venue.mark < 10, "what is above the ceiling is taken off"
            assert desk.state.done or desk.venue.protected >= desk.state.held
        desk.feed(Close())
        desk.calm(30_000)
        assert desk.state.done, desk.state.phase
        assert desk.venue.position == desk.state.held == 0
        assert not desk.venue.open_orders()
        for name, real in desk.venue.orders.items():
            order = desk.state.orders[name]
            assert (order.state, order.filled) == (real.state, real.filled)
            assert order.filled == sum((f.size for f in desk.venue.fills if f.client_id == name), D(0))
        again = desk.state
        for fill in desk.venue.fills:
            desk.feed(fill)
        assert desk.state.orders == again.orders


def test_any_order_of_events_converges() -> None:
    run_state_machine_as_test(
        Trading, settings=settings(max_examples=examples(150), stateful_step_count=30, deadline=None)
    )


def bare_ms(seed: int) -> int:
    """Return the longest time in ms that a position had less stop than size, under a venue that loses stops."""
    rng = random.Random(seed)
    changes = rng.choice(STRATEGIES)
    side = rng.choice(list(Side))
    venue = ModelVenue()
    desk = Desk(begin(plan(side, **changes), BTC, "model", 0), venue)
    since, worst = None, 0
    for _ in range(300):
        venue.drop_children, venue.refuse_stops = rng.random() < 0.7, rng.random() < 0.5
        venue.share = rng.choice([D("0.3"), D(1), D(1)])
        desk.lose_answer = rng.random() < 0.2
        venue.move(D(rng.randrange(99_400, 100_600)))
        for truth in venue.orders.values():
            if truth.order.trigger and not truth.state.is_final and rng.random() < 0.01:
                truth.state = OrderState.CANCELED  # lost without a word
        desk.wait(100)
        if rng.random() < 0.8:
            desk.deliver_all()
        bare = abs(venue.position) > venue.protected
        since = (desk.now_ms if since is None else since) if bare else None
        worst = max(worst, 0 if since is None else desk.now_ms - since)
    return worst


def test_every_position_has_a_stop_within_five_seconds_or_is_closed() -> None:
    times = [bare_ms(seed) for seed in range(30)]
    assert max(times) <= 5_000
    assert max(times) > 1_000  # the venue did lose stops


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_modify_that_is_lost_is_sent_again_until_it_is_answered(side: Side, lost: str) -> None:
    desk = Desk(begin(plan(side, strategy="limit", entry_px=D(100_000)), BTC, "model", 0), ModelVenue())
    desk.venue.mark = D(100_000 + 5 * int(side))
    desk.wait(100)
    desk.venue.share = D("0.3")
    desk.venue.move(D(100_000))
    for _ in range(25):
        desk.wait(100)
        desk.deliver_all()
    desk.lose_request, desk.lose_answer, desk.deaf = lost == "request", lost == "answer", True
    desk.venue.move(D(100_000))
    desk.venue.mark = D(100_000 + 5 * int(side))
    desk.deliver_all()
    desk.feed(Tick())
    assert any(o.pending for o in desk.state.orders.values())
    desk.lose_request = desk.lose_answer = False  # still deaf: no snapshot settles it
    for _ in range(10):
        desk.wait(100)
    assert not any(o.pending for o in desk.state.orders.values())
    assert desk.venue.protected == desk.state.held


@pytest.mark.parametrize("side", list(Side))
def test_a_grouped_stop_shrinks_with_the_position_even_when_the_first_modify_is_lost(side: Side) -> None:
    desk = Desk(begin(plan(side), BTC, "model", 0), ModelVenue())
    for _ in range(3):
        desk.wait(100)
        desk.deliver_all()
    part = VenueFill("x", "", 9, "BTC", side.opposite, D("0.004"), D(100_000), D(0), True, desk.now_ms)
    desk.venue.fills.append(part)
    desk.lose_request = True
    desk.feed(ForeignFill(part))
    assert desk.venue.protected == D("0.01")
    desk.lose_request = False
    for _ in range(10):
        desk.wait(100)
        desk.deliver_all()
    assert desk.venue.protected == desk.state.held == D("0.006")
    assert not desk.state.alarms
