"""Live and batch decoding give the same events; every odd line has its reason; the recordings decode as known."""

from dataclasses import replace

import pytest
from decoded_lines import _equal, _live, _report
from tape_cases import T0, UNIVERSE, FrameSource, compact, level, line

from lotus.manifest import Asset
from lotus.microtape.events import concat_batches
from lotus.microtape.wire import decode
from lotus.microtape.wire.decode import Decoder, clean_frame, decode_lines
from lotus.microtape.wire.reasons import LineKind, QuarantineReason

RECV = T0 * 1_000_000


@pytest.mark.parametrize("seed", range(4))
def test_live_equals_batch_on_random_tape_with_odd_lines(seed: int) -> None:
    pairs = [(recv, clean_frame(frame)) for recv, frame in FrameSource(seed).lines(3000)]
    buffer = b"".join(line(recv, frame) for recv, frame in pairs)
    batch, report = decode_lines(buffer, UNIVERSE)
    batch.check()
    decoder = Decoder(UNIVERSE)
    assert _equal(_live(pairs, decoder), batch)
    assert decoder.report() == report
    assert report.lines == sum(report.kinds.values()) == 3000
    assert report.kinds["quarantine"] == len(report.quarantine) == sum(report.reasons.values())
    assert len(report.reasons) >= 8


@pytest.mark.parametrize("piece", [1, 77, 5000])
def test_any_cut_of_the_buffer_gives_the_same_events(piece: int) -> None:
    buffer = b"".join(line(recv, frame) for recv, frame in FrameSource(9).lines(300))
    whole = decode_lines(buffer, UNIVERSE, first_seq=-40)
    pieces = decode_lines((buffer[at : at + piece] for at in range(0, len(buffer), piece)), UNIVERSE, first_seq=-40)
    assert _equal(whole[0], pieces[0])
    assert whole[1] == pieces[1]
    assert decode_lines(buffer.rstrip(b"\n"), UNIVERSE, first_seq=-40)[1] == whole[1]


@pytest.mark.parametrize("most", [64, 400, 5_000, 10**6])
def test_pieces_of_any_size_give_the_events_of_one_buffer(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = b"".join(line(recv, frame) for recv, frame in FrameSource(9).lines(300))
    whole = decode_lines(buffer, UNIVERSE, first_seq=-40)
    monkeypatch.setattr(decode, "PIECE_BYTES", most)
    decoder = Decoder(UNIVERSE)
    pieces = [
        replace(batch, off=batch.off.copy(), pool=batch.pool.copy())
        for batch in decoder.decode_pieces(bytearray(buffer), -40)
    ]
    assert _equal(concat_batches(pieces), whole[0])
    assert decoder.report() == whole[1]
    assert decoder.next_seq == 260


def test_decoders_that_decide_alike_give_the_same_events_whatever_they_knew_before() -> None:
    source = FrameSource(5)
    warm, blank = Decoder(UNIVERSE[:1]), Decoder(UNIVERSE[:1])

    def more(count: int) -> bytes:
        return b"".join(line(recv, frame) for recv, frame in source.lines(count))

    warm.decode_chunk(more(300), 0)
    assert not warm.decides_as(blank)
    pieces = 0
    while not warm.decides_as(blank):
        piece, pieces = more(1500), pieces + 1
        warm.decode_chunk(piece, 0)
        blank.decode_chunk(piece, 0)
    assert pieces > 3, "one of both had room for more prints"
    warm.clear_report()
    blank.clear_report()
    piece = more(1500)
    assert _equal(warm.decode_chunk(piece, 0), blank.decode_chunk(piece, 0))
    assert warm.report() == blank.report()
    assert warm.decides_as(blank)
    warm.decode_chunk(more(300), 0)
    assert not warm.decides_as(blank)


def _bbo(bid: object, ask: object, time_ms: int = T0, coin: str = "BTC") -> bytes:
    return compact("bbo", {"coin": coin, "time": time_ms, "bbo": [bid, ask]})


def _trade(tid: int, time_ms: int = T0, px: str = "100.0", sz: str = "1.0", coin: str = "BTC") -> dict[str, object]:
    users = ["0xa", "0xb"]
    head = {"coin": coin, "side": "B", "px": px, "sz": sz, "time": time_ms, "hash": "0x0", "tid": tid}
    return {**head, "users": users}


GOOD = _bbo(level(99.0, "1"), level(100.0, "1"))


ODD: list[tuple[bytes, QuarantineReason]] = [
    (line(RECV, b'{"channel":"bbo","data":{"coin":"BTC"'), QuarantineReason.BAD_JSON),
    (line(RECV, compact("bbo", {"coin": "BTC", "time": T0})), QuarantineReason.BAD_FORM),
    (line(RECV, _bbo({"px": 99.0, "sz": "1", "n": 1}, None)), QuarantineReason.BAD_FORM),
    (line(RECV, compact("trades", [_trade(1), _trade(2, coin="ETH")])), QuarantineReason.BAD_FORM),
    (line(RECV, _bbo(None, None, coin="NOPE")), QuarantineReason.UNKNOWN_COIN),
    (line(RECV, _bbo(level(99.0, "NaN"), None)), QuarantineReason.NOT_A_NUMBER),
    (line(RECV, compact("trades", [_trade(1, sz="Infinity")])), QuarantineReason.NOT_A_NUMBER),
    (line(RECV, _bbo(level(99.0, "1e300"), None)), QuarantineReason.HUGE_NUMBER),
    (line(RECV, _bbo(level(99.0, "99999999999999999999999"), None)), QuarantineReason.HUGE_NUMBER),
    (line(RECV, _bbo(level(99.0, "1"), None, time_ms=10**30)), QuarantineReason.HUGE_NUMBER),
    (line(RECV, _bbo(level(99.0, "-1"), None)), QuarantineReason.NEGATIVE),
    (line(RECV, compact("trades", [_trade(1, sz="-0.5")])), QuarantineReason.NEGATIVE),
    (line(RECV, _bbo(level(0.0, "1"), None)), QuarantineReason.NEGATIVE),
    (line(RECV, _bbo(level(99.123, "1"), None)), QuarantineReason.PRICE_UNIT),
    (line(RECV, _bbo(level(101.0, "1"), level(100.0, "1"))), QuarantineReason.CROSSED),
    (line(RECV, _bbo(level(100.0, "1"), level(100.0, "1"))), QuarantineReason.CROSSED),
    (
        line(RECV, compact("l2Book", {"coin": "BTC", "time": T0, "levels": [[level(5.0, "1")], [level(4.0, "1")]]})),
        QuarantineReason.CROSSED,
    ),
    (
        line(RECV, compact("l2Book", {"coin": "BTC", "time": T0, "levels": [[level(5.0, "1"), level(6.0, "1")], []]})),
        QuarantineReason.UNSORTED,
    ),
    (line(RECV, _bbo(level(99.0, "1"), None, time_ms=T0 - 60_001)), QuarantineReason.TIME_BACK),
    (line(RECV, _bbo(level(99.0, "1"), None, time_ms=T0 + 300_001)), QuarantineReason.TIME_RANGE),
    (line(RECV, _bbo(level(99.0, "1"), None, time_ms=T0 - 86_400_001)), QuarantineReason.TIME_RANGE),
    (line(RECV, compact("trades", [_trade(1, time_ms=T0 + 300_001)])), QuarantineReason.TIME_RANGE),
    (line(RECV, _bbo(level(99.0, "1"), None, time_ms=T0 + 240_000)), QuarantineReason.TIME_AHEAD),
    (line(RECV, compact("trades", [_trade(1, time_ms=T0 + 2_001)])), QuarantineReason.TIME_AHEAD),
    (line(RECV - 1, GOOD), QuarantineReason.RECV_BACK),
    (line(RECV, b"%d " % (RECV + 10**15) + GOOD), QuarantineReason.STAMP_FAR),
    (GOOD + b"\n", QuarantineReason.BAD_LINE),
    (b"12x4 " + GOOD + b"\n", QuarantineReason.BAD_LINE),
    (b"99999999999999999999 " + GOOD + b"\n", QuarantineReason.BAD_LINE),
]


@pytest.mark.parametrize(("odd", "reason"), ODD, ids=[f"{n}-{reason.name}" for n, (_, reason) in enumerate(ODD)])
def test_odd_lines_are_put_aside_with_their_reason(odd: bytes, reason: QuarantineReason) -> None:
    after = line(RECV + 5, _bbo(level(98.0, "2"), level(99.0, "1"), T0 + 5))
    batch, report = decode_lines(line(RECV, GOOD) + odd + after, UNIVERSE, first_seq=100)
    assert [int(seq) for seq in batch.seq] == ([100, 101, 102] if reason is QuarantineReason.CROSSED else [100, 102])
    assert report.reasons == {reason.name.lower(): 1}
    (row,) = report.quarantine
    assert (row.seq, row.reason) == (101, reason)
    assert row.recv_ns == (0 if reason is QuarantineReason.BAD_LINE else int(odd.split(b" ")[0]))
    assert row.text in odd.decode()
    assert len(row.text) == min(200, len(odd.rstrip()) - (20 if row.recv_ns else 0))


def _quotes(ahead_ms: list[int], every_ms: int = 500) -> bytes:
    """Return a quote every half second whose venue time is so far ahead of its receive stamp."""
    times = [T0 + every_ms * k for k in range(len(ahead_ms))]
    return b"".join(
        line(at * 1_000_000, _bbo(level(99.0, "1"), None, at + ahead))
        for at, ahead in zip(times, ahead_ms, strict=True)
    )


def test_wrong_venue_times_cost_their_own_lines_and_no_other() -> None:
    alone = {40: 240_000, 90: 8_000, 91: 250_000, 150: 60_000, 151: 60_000}
    seven_alike = dict.fromkeys(range(200, 207), 90_000)
    wrong = alone | seven_alike
    batch, report = decode_lines(_quotes([wrong.get(k, -100) for k in range(400)]), UNIVERSE)
    assert report.reasons == {"time_ahead": len(wrong)}
    assert len(batch) == 400 - len(wrong)


def test_a_recorders_clock_that_was_set_back_is_believed_from_the_eighth_line_on() -> None:
    for ahead in (5_000, 250_000):
        batch, report = decode_lines(_quotes([-100] * 50 + [ahead - 100] * 50), UNIVERSE)
        assert report.reasons == {"time_ahead": 7}
        assert len(batch) == 93
    slow, report = decode_lines(_quotes([10 * k for k in range(600)]), UNIVERSE)
    assert (len(slow), report.reasons) == (600, {}), "a clock that drifts is followed"


def test_what_a_clock_showed_before_it_was_set_right_is_forgotten() -> None:
    set_back = [250_000] * 100
    assert decode_lines(_quotes([*set_back, 200_000]), UNIVERSE)[1].reasons == {"time_ahead": 7}
    right = [-100] * 700  # refused for five minutes, for the asset's clock stands where the wrong one had set it
    _, before = decode_lines(_quotes([*set_back, *right]), UNIVERSE)
    _, after = decode_lines(_quotes([*set_back, *right, 200_000, -100]), UNIVERSE)
    assert after.reasons["time_ahead"] == before.reasons["time_ahead"] + 1
    assert after.reasons["time_back"] == before.reasons["time_back"]


def test_every_line_kind_is_counted() -> None:
    frames = {
        b'{"channel":"pong"}': LineKind.PONG,
        b"Websocket connection established.": LineKind.GREETING,
        compact("subscriptionResponse", {"method": "subscribe", "subscription": {}}): LineKind.ACK,
        compact("error", "x"): LineKind.ERROR,
        compact("allMids", {"mids": {}}): LineKind.ALL_MIDS,
        compact("userFills", {}): LineKind.USER,
        compact("new", {}): LineKind.UNKNOWN_CHANNEL,
        compact("lotus.control", {"a": 1}): LineKind.CONTROL,
        compact("trades", []): LineKind.NOTHING_NEW,
        compact("l2Book", {"coin": "BTC", "time": T0, "levels": [[], []], "spread": "1.0"}): LineKind.AGGREGATED_BOOK,
        _bbo(None, None, coin="DOGE"): LineKind.IGNORED_COIN,
        b"": LineKind.BLANK,
    }
    decoder = Decoder(UNIVERSE, ignored=[Asset("DOGE", 0)])
    batch = decoder.decode_chunk(b"".join(line(RECV, frame) for frame in frames), 0)
    assert len(batch) == 0
    assert decoder.report().kinds == {kind.name.lower(): 1 for kind in frames.values()}
    assert decoder.report().controls[0].data == {"a": 1}
    live = Decoder(UNIVERSE, ignored=[Asset("DOGE", 0)])
    assert [live.decode_line(RECV, frame, 0).line for frame in frames] == list(frames.values())


def test_frames_of_unusual_size_pass() -> None:
    many = [_trade(tid) for tid in range(20_000)]
    frame = compact("trades", many)
    batch, _ = decode_lines(line(RECV, frame), UNIVERSE)
    live = Decoder(UNIVERSE)
    assert live.decode_line(RECV, frame, 0).end == len(batch.pool) == 100_000


@pytest.mark.recordings
def test_recording_with_outages() -> None:
    _, report = _report("hyperliquid-2025-09-03-outages/frames.jsonl.gz")
    assert report.kinds == {"book": 1784, "bbo": 6191, "trades": 915, "nothing_new": 2}
    assert {name: counts.duplicates for name, counts in report.assets.items()} == {
        "BTC": 30,
        "ETH": 1,
        "SOL": 1,
        "WLFI": 21,
    }
    assert sum(counts.prints for counts in report.assets.values()) == 3436


@pytest.mark.recordings
def test_recording_with_sorted_keys_takes_the_typed_path() -> None:
    batch, report = _report("hyperliquid-2025-01-26-raw/btcusd_20250126.gz", (Asset("BTC", 5),))
    assert report.kinds == {"book": 46, "trades": 9}
    assert report.assets["BTC"].prints == 64
    assert batch.payload(0)[:5].tolist() == [20, 20, 1_050_550, 303_622, 5]
