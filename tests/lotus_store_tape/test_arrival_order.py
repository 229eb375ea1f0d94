"""Stamps of foreign lines: one that is far ahead costs one line, what is a little out of turn is put in order."""

import random
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lotus.microtape.wire.reasons import QuarantineReason
from lotus_store.tape.arrival_order import TURN_NS, in_order
from lotus_store.tape.import_recording import import_recording
from lotus_store.tape.store import TapeStore
from lotus_store.tape.verify import verify_tape
from lotus_store.tape.writer import WriterRules

T0, STEP = 1_757_015_216_000_000_000, 100_000_000
HOUR = 3_600_000_000_000
FAR = QuarantineReason.STAMP_FAR.name.lower()


def steady(n=1_000):
    return [(T0 + STEP * k, b"%d" % k) for k in range(n)]


def numbers(lines):
    return [frame for _, frame in lines]


def is_far(frame):
    return b" " in frame


def test_lines_in_order_are_left_alone():
    assert list(in_order(steady())) == steady()
    assert list(in_order([])) == []
    assert list(in_order(steady(1))) == steady(1)


def test_one_stamp_far_ahead_costs_one_line_wherever_it_stands():
    for place in (0, 1, 500, 998, 999):
        for ahead in (10**10, HOUR, 72 * HOUR, 2**63 - 1 - T0):
            lines = steady()
            lines[place] = (min(lines[place][0] + ahead, 2**63 - 1), lines[place][1])
            out = list(in_order(lines))
            if place >= 998 and ahead == 10**10:
                assert sorted(out) == sorted(lines), "one line behind a pause is no reason to doubt the pause"
                continue
            assert sum(is_far(frame) for frame in numbers(out)) == 1
            assert all(a <= b for (a, _), (b, _) in pairwise(out))
            kept = [line for line in out if not is_far(line[1])]
            assert kept == [line for k, line in enumerate(lines) if k != place]


def test_stamps_set_back_early_do_not_cost_the_lines_before_them():
    for places in ((3, 18, 37), (1, 20), (2, 3, 40), (1,)):
        lines = steady()
        for k in places:
            lines[k] = (lines[k][0] - 600 * 10**9, lines[k][1])
        out = list(in_order(lines))
        assert not any(is_far(frame) for frame in numbers(out)), places
        assert sorted(out) == sorted(lines)


def test_a_first_line_of_another_age_is_put_aside():
    lines = [(5, b"old"), *steady()]
    out = list(in_order(lines))
    assert out[0] == (T0, b"5 old")
    assert out[1:] == steady()


def test_pauses_and_steps_of_the_recorders_clock_are_believed():
    paused = steady(100) + [(at + 5 * HOUR, frame) for at, frame in steady(100)]
    assert list(in_order(paused)) == paused
    back = steady(1_000) + [(at - 30_000_000_000, b"b" + frame) for at, frame in steady(2_000)[1_000:]]
    out = list(in_order(back))
    assert sorted(numbers(out)) == sorted(numbers(back))
    assert not any(is_far(frame) for frame in numbers(out))


def test_a_shuffled_share_costs_about_as_many_lines():
    lines, rng = steady(20_000), random.Random(3)
    places = rng.sample(range(len(lines)), 200)
    moved = [lines[k] for k in places]
    rng.shuffle(moved)
    for k, line in zip(places, moved, strict=True):
        lines[k] = line
    latest, lost = -1, 0
    for stamp, frame in in_order(lines):
        lost += is_far(frame) or stamp < latest
        latest = max(latest, stamp)
    assert lost <= 200


@given(st.lists(st.integers(0, TURN_NS), min_size=1, max_size=300))
def test_out_of_turn_by_at_most_a_second_is_put_in_order(late):
    lines = [(T0 + STEP * k - by, b"%d" % k) for k, by in enumerate(late)]
    assert list(in_order(lines)) == sorted(lines, key=lambda line: line[0])


def test_a_far_line_is_on_the_tape_and_counted(tmp_path: Path):
    source, text = tmp_path / "capture", b""
    for k in range(200):
        stamp = T0 + STEP * k + (HOUR if k == 100 else 0)
        bbo = '[{"px":"100.0","sz":"1.0","n":1},{"px":"101.0","sz":"2.0","n":1}]'
        data = f'{{"coin":"BTC","time":{(T0 + STEP * k) // 1_000_000},"bbo":{bbo}}}'
        text += f'{stamp} {{"channel":"bbo","data":{data}}}\n'.encode()
    source.write_bytes(text)
    store = TapeStore(tmp_path, "t")
    report = import_recording(store, [source], rules=WriterRules(reserve_bytes=0))
    assert (report.lines, report.put_aside) == (200, {FAR: 1})
    seen = verify_tape(store, "2025-09-04", 10_000)
    assert (seen.decoded.reasons, seen.events, seen.gaps) == ({FAR: 1}, 199, ())
    assert seen.decoded.quarantine[0].text.startswith(f"{T0 + STEP * 100 + HOUR} {{")
