"""The tape of a world: same bytes for the same key, ordinary arrival, rates, and the real decoder's opinion."""

import itertools
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from lotus.manifest import Asset
from lotus.microtape.wire.decode import decode_lines
from lotus.simulation.spec import FULL_DAY, WorldSpec
from lotus.simulation.world import World

SPEC = WorldSpec("demo", 5, 2, sessions=(("08:00", "08:20"), ("14:00", "14:20")))
UNIVERSE = tuple(Asset(a.name, a.sz_decimals) for a in SPEC.assets)


def whole(spec: WorldSpec, day: int, index: int) -> bytes:
    return b"".join(text for _, text in World(spec).span_chunks(day, index))


@pytest.fixture(scope="module")
def tape() -> list[bytes]:
    return [whole(SPEC, 0, 0), whole(SPEC, 0, 1)]


def test_same_key_same_bytes_in_any_order_and_on_threads(tape: list[bytes]) -> None:
    with ThreadPoolExecutor(2) as pool:
        later, again = pool.map(lambda index: whole(SPEC, 0, index), (1, 0))
    assert [again, later] == tape
    assert whole(SPEC, 1, 0) != tape[0]
    assert whole(replace(SPEC, seed=6), 0, 0) != tape[0]


def test_bytes_are_the_recorded_ones() -> None:
    short = replace(SPEC, sessions=(("08:00", "08:02"),))
    assert World(short).piece_hashes(0) == ["a60514a1bd7a70786b6534b6768721a9a60bbb417424e7909df8826aedc858ac"]


def test_lines_are_whole_and_arrive_in_order(tape: list[bytes]) -> None:
    for text in tape:
        assert text.endswith(b"\n")
        stamps = [int(line.split(b" ", 1)[0]) for line in text.split(b"\n")[:-1]]
        assert all(a < b for a, b in itertools.pairwise(stamps))


def test_pieces_name_their_first_stamp() -> None:
    for first, text in World(SPEC).day_pieces(0):
        assert text.startswith(f"{first} ".encode())


def test_rates_of_the_light_mix(tape: list[bytes]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for line in tape[0].split(b"\n")[:-1]:
        frame = json.loads(line.split(b" ", 1)[1])
        data = frame.get("data")
        if frame["channel"] in ("bbo", "l2Book", "activeAssetCtx"):
            counts[frame["channel"] + ("-fast" if "fast" in data else ""), data["coin"]] += 1
        elif frame["channel"] == "trades":
            counts["trades", data[0]["coin"]] += 1
    for asset in SPEC.assets:
        rate = {channel: counts[channel, asset.name] / 1200 for channel, coin in counts if coin == asset.name}
        assert 4.5 < rate["bbo"] < 7.5
        assert 1.9 < rate["l2Book-fast"] < 2.1
        assert 0.18 < rate["l2Book"] < 0.22
        assert 1.0 < rate["trades"] < 2.0
        assert 0.48 < rate["activeAssetCtx"] < 0.52


def test_the_decoder_quarantines_nothing_and_finds_the_replay(tape: list[bytes]) -> None:
    batch, report = decode_lines(b"".join(tape), UNIVERSE)
    assert report.reasons == {}
    assert report.kinds["ack"] == 15 * 3
    assert report.kinds["pong"] > 40
    assert len(batch) > 60_000
    for counts in report.assets.values():
        assert 10 <= counts.duplicates <= 30  # the reconnect repeats what was seen before the silence
        assert 0.01 < counts.late_prints / counts.prints < 0.10


def test_a_reconnect_repeats_thirty_prints_in_later_sessions_only(tape: list[bytes]) -> None:
    def replays(text: bytes) -> int:
        frames = (json.loads(line.split(b" ", 1)[1]) for line in text.split(b"\n")[:-1] if b'"trades"' in line)
        return sum(isinstance(f["data"], list) and len(f["data"]) == 30 for f in frames)

    assert [replays(text) for text in tape] == [3, 6]


def test_full_days_come_in_chunks() -> None:
    spec = replace(SPEC, days=1, sessions=FULL_DAY)
    assert spec.spans_ms(0)[0][1] - spec.spans_ms(0)[0][0] == 86_340_000
    long = replace(SPEC, days=1, assets=SPEC.assets[:1], sessions=(("00:00", "03:20"),))
    pieces = list(World(long).day_pieces(0))
    assert len(pieces) == 3
    assert [first for first, _ in pieces] == sorted(first for first, _ in pieces)
