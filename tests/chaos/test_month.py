"""`month_of_faults.py` in short, by tests/chaos/month_faults.py and month_home.py.

What is drawn, what becomes of a line, that a release holds what was put into it, and what names a fault. The month
itself is run by `make thorough`.
"""

import json
import random
from pathlib import Path

import pytest
from month_faults import BY_RELEASE, EXPERT, KINDS, ROOT, Fault, broken_lines, draw, release
from month_home import State, flagged, judge

from lotus.detectors.spec import parse_spec

BBO = (
    b'1700000000000000000 {"channel":"bbo","data":{"coin":"BTC","time":1,'
    b'"bbo":[{"px":"100000.0","sz":"1.2","n":3},{"px":"100001.0","sz":"0.5","n":1}]}}\n'
)
CTX = (
    b'1700000000000000001 {"channel":"activeAssetCtx","data":{"coin":"ETH","ctx":{"funding":"0.001",'
    b'"openInterest":"7.5","impactPxs":["40.1","40.2"]}}}\n'
)


def unit(coin: str, of: str, factor: str) -> Fault:
    """A unit change from the first night on."""
    return Fault("unit", 0, {"coin": coin, "of": of, "factor": factor}, 2)


def test_every_fault_has_a_night_of_its_own_and_any_seed_can_be_drawn() -> None:
    for seed in range(300):
        faults = draw(random.Random(seed), 60, 30, 0)
        assert sorted(fault.kind for fault in faults) == sorted(KINDS)
        assert len({fault.first for fault in faults}) == len(KINDS)
        assert all(60 <= fault.first < 90 and (fault.names or fault.kind == "lesson") for fault in faults)
        expert = next(fault for fault in faults if fault.kind == "expert")
        assert (expert.first + expert.deadline) % 7 == 0, "a Monday"
        assert 7 <= expert.deadline <= 13
    assert draw(random.Random(5), 60, 30, 0) == draw(random.Random(5), 60, 30, 0)


@pytest.mark.parametrize(
    ("fault", "top"),
    [
        (unit("BTC", "price", "10"), ("1000000.0", "1.2")),
        (unit("BTC", "size", "0.001"), ("100000.0", "0.0012")),
        (unit("BTC", "both", "1000"), ("100000000.0", "0.0012")),
        (unit("ETH", "both", "1000"), ("100000.0", "1.2")),
    ],
)
def test_a_unit_changes_one_coin_and_nothing_else(fault: Fault, top: tuple[str, str]) -> None:
    lines = broken_lines(BBO + CTX, [fault], 0).splitlines(keepends=True)
    best = json.loads(lines[0][20:])["data"]["bbo"][0]
    assert (best["px"], best["sz"], best["n"]) == (*top, 3)
    assert (lines[1] == CTX) == (fault.how["coin"] != "ETH")
    assert broken_lines(BBO + CTX, [unit("BTC", "price", "1")], 0) == BBO + CTX


def test_a_dead_feed_is_silent_after_the_first_tenth_of_its_session() -> None:
    lines = (BBO + CTX) * 50
    dead = Fault("feed", 0, {"coin": "every coin", "channel": "bbo", "session": 1}, 2)
    assert broken_lines(lines, [dead], 0) == lines
    assert broken_lines(lines, [dead], 1) == (BBO + CTX) * 5 + CTX * 45


def test_a_release_holds_what_was_put_into_it_and_every_leak_has_its_place(tmp_path: Path) -> None:
    leaks = [Fault("leak", 0, {"column": "imb_5", "place": place}, 2) for place in ("made", "label")]
    others = [Fault("twin", 0, {"of": "micro_drift"}, 6), Fault("expert", 0, {"expert": EXPERT}, 7)]
    assert {fault.kind for fault in (*leaks, *others)} == set(BY_RELEASE)
    root = release(tmp_path / "product", [*leaks, *others])
    twin, shipped = (
        parse_spec((folder / "lotus/detectors/specs" / name).read_text(), name)
        for folder, name in ((root, "micro_drift_b.yaml"), (ROOT, "micro_drift.yaml"))
    )
    assert (twin.detector_id, twin.signal, twin.windows) == ("micro_drift_b", shipped.signal, shipped.windows)
    assert f"  {EXPERT}: {{" in (root / "lotus/experts/specs/fusion.yaml").read_text()
    for name in ("tape_input", "microtape_frames"):
        assert "foreseen(" in (root / f"lotus_assets/stages/tape/{name}.py").read_text()


def test_only_what_is_new_and_not_green_names_a_fault() -> None:
    old = "| look | Who was held back? | curator:data holds back @BTC from 2026-03-01 on: late | lotus curate summary |"
    new = "| look | Who was held back? | curator:data holds back @ETH from 2026-03-02 on: unit | lotus curate summary |"
    text = "\n".join([old, new, "| ok | Is the data whole? | least ETH with 99.99% | lotus tape list |", "# ETH"])
    assert flagged(text) == [old, new]
    for coin, named in (("BTC", None), ("ETH", 7), ("SOL", None)):
        fault = Fault("unit", 7, {"coin": coin}, 2, names=[[coin]])
        state = State(1, 7, 5, 9, [fault], [{"night": 6, "flagged": [old]}])
        judge(state, 7, flagged(text))
        assert fault.named == named
        assert fault.until == (8 if named else None)
