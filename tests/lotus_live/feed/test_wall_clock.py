"""The machine's clock in the feed: steps of the system's clock are told, hold opening, and blind nobody."""

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.manifest import Asset
from lotus.microtape.wire.decode import Decoder
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_live.feed.wall_clock import SETTLE_NS, STEP_NS, WallClock

S = 1_000_000_000
BEGAN = 1_780_000_000 * S
HOUR = 3_600 * S


@dataclass
class Machine:
    """A machine: true time passes for its monotonic clock; the system's is `wrong_ns` off."""

    true_ns: int = BEGAN
    wrong_ns: int = 0

    def clock(self) -> WallClock:
        """Return the feed's clock on this machine."""
        return WallClock(lambda: self.true_ns + self.wrong_ns, lambda: self.true_ns - BEGAN + 17)


def bbo(venue_ns: int) -> bytes:
    """Return the venue's best prices, stamped by the venue."""
    sides = '{"px":"100.0","sz":"1.0","n":1},{"px":"101.0","sz":"1.0","n":1}'
    return f'{{"channel":"bbo","data":{{"coin":"BTC","time":{venue_ns // 1_000_000},"bbo":[{sides}]}}}}'.encode()


def refused(machine: Machine, step_ns: int, seconds: int) -> tuple[WallClock, list[int], int]:
    """Return clock, stamps and refused quotes of one quote a second, the system's clock stepping at second 60."""
    clock, decoder, stamps, bad = machine.clock(), Decoder((Asset("BTC", 5),)), [], 0
    for second in range(seconds):
        machine.true_ns = BEGAN + second * S
        machine.wrong_ns = step_ns if second >= 60 else 0
        (line,) = clock.accept(bbo(machine.true_ns))
        stamps.append(line.recv_ns)
        bad += decoder.decode_line(line.recv_ns, line.raw, second).kind < 0
    return clock, stamps, bad


def test_a_clock_an_hour_back_refuses_no_quote() -> None:
    clock, stamps, bad = refused(Machine(), -HOUR, 7_200)
    assert (bad, clock.steps) == (0, [-3_600_000])
    assert stamps == [BEGAN + second * S for second in range(7_200)]


def test_a_step_ahead_that_stands_is_followed_after_a_minute() -> None:
    clock, stamps, bad = refused(Machine(), HOUR, 300)
    assert (bad, clock.steps) == (0, [3_600_000])
    assert stamps[119] == BEGAN + 119 * S
    assert stamps[120:] == [BEGAN + second * S + HOUR for second in range(120, 300)]


def test_a_step_is_told_and_holds_for_a_minute_and_so_does_its_return() -> None:
    for step in (-HOUR, HOUR, -3 * S, 3 * S):
        machine = Machine()
        clock = machine.clock()
        clock.now_ns()
        assert clock.hold() == ""
        machine.true_ns += S
        machine.wrong_ns = step
        assert clock.hold() == f"the machine's clock stepped by {step / S:+.1f} s"
        assert clock.now_ns() == machine.true_ns
        machine.true_ns += 10 * S
        machine.wrong_ns = 0
        assert "stepped by" in clock.hold()
        assert clock.now_ns() == machine.true_ns
        machine.true_ns += SETTLE_NS - 1
        assert clock.hold()
        machine.true_ns += 1
        assert clock.hold() == ""
        assert clock.steps == [step // 1_000_000, -step // 1_000_000]


def test_small_corrections_are_followed_and_hold_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.now_ns()
    for wrong_ns in (STEP_NS, STEP_NS // 2, 0):
        machine.true_ns += 10 * S
        machine.wrong_ns = wrong_ns
        assert clock.now_ns() == machine.true_ns + wrong_ns
    assert (clock.steps, clock.hold()) == ([], "")


def test_a_step_back_that_stands_and_is_undone_leaves_the_stamps_as_they_were() -> None:
    machine = Machine()
    clock = machine.clock()
    clock.now_ns()
    for wrong_ns in (-HOUR, 0, -2 * HOUR, -HOUR, 0):
        machine.wrong_ns = wrong_ns
        for _ in range(200):
            machine.true_ns += S
            assert clock.now_ns() == machine.true_ns
    assert len(clock.steps) == 5


def test_a_process_that_slept_between_two_looks_at_its_clocks_saw_no_step() -> None:
    asleep = iter([0, 5 * S, *[0] * 100])
    machine = Machine()

    def time_ns() -> int:
        machine.true_ns += next(asleep)
        return machine.true_ns

    clock = WallClock(time_ns, lambda: machine.true_ns)
    clock.now_ns()
    assert clock.now_ns() == BEGAN + 5 * S
    assert clock.steps == []


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100 * S), st.integers(-2 * HOUR, 2 * HOUR) | st.just(0)), max_size=40))
def test_stamps_never_go_back_and_a_minute_without_steps_lets_go(moves: list[tuple[int, int]]) -> None:
    machine = Machine()
    clock = machine.clock()
    last = clock.now_ns()
    for passed_ns, wrong_ns in moves:
        machine.true_ns += passed_ns
        machine.wrong_ns = wrong_ns
        last, before = clock.now_ns(), last
        assert last >= before
    for _ in range(3):
        machine.true_ns += SETTLE_NS
        clock.now_ns()
    assert clock.hold() == ""


def test_a_held_clock_lets_the_desk_open_nothing() -> None:
    terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(50_000), 5_000)
    machine = Machine()
    clock = machine.clock()
    market = MarketSnapshot(
        (Asset("BTC", 5),), "local", terms, lambda: clock.now_ns() // 1_000_000, clock_hold=clock.hold
    )
    assert not market.account_state("BTC", "book").halted
    machine.wrong_ns = -HOUR
    assert market.account_state("BTC", "book").halted
    machine.true_ns += SETTLE_NS
    assert not market.account_state("BTC", "book").halted
