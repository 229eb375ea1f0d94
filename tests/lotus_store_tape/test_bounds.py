"""Files from outside take no more memory than they may: bombs, endless lines, made-up coins, deep files."""

import gzip
import resource
from pathlib import Path

import lz4.frame
import msgspec
import pytest
import zstandard

from lotus.errors import TapeError
from lotus.microtape.decode import Decoder
from lotus.microtape.decode_reasons import QuarantineReason
from lotus.microtape.wire import MAX_LINE_BYTES
from lotus_store.tape.archive_frames import book_lines, fill_lines, trade_lines
from lotus_store.tape.coin_units import MAX_SEEN, survey
from lotus_store.tape.header import HeaderAsset, TapeHeader, decode_header, encode_header
from lotus_store.tape.segment import MAX_BYTES, SegmentMeta, pack, read_lines, salvage, sha256
from lotus_store.tape.source_lines import read_source_lines
from lotus_store.tape.store import TapeStore

DEEP = b"[" * 1_100 + b"]" * 1_100
ZEROS = bytes(1 << 20)


def bomb(path: Path, megabytes: int) -> int:
    """Write zstd of so many megabytes of zeros; return its size in bytes."""
    with path.open("wb") as raw, zstandard.ZstdCompressor().stream_writer(raw) as packed:
        for _ in range(megabytes):
            packed.write(ZEROS)
    return path.stat().st_size


def peak_mb() -> float:
    """Return the most memory that this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_a_bomb_is_refused_and_not_read(tmp_path: Path) -> None:
    assert bomb(tmp_path / "bomb", 2_000) < 100_000
    before = peak_mb()
    with pytest.raises(TapeError, match="decompression bomb"):
        list(read_source_lines(tmp_path / "bomb"))
    assert peak_mb() - before < 400


@pytest.mark.parametrize("packer", [gzip.compress, lz4.frame.compress, zstandard.compress])
def test_a_small_file_may_unpack_to_a_few_megabytes(tmp_path: Path, packer: object) -> None:
    (tmp_path / "calm").write_bytes(packer(b"1 {}\n" * 2_000_000))  # type: ignore[operator]
    assert sum(1 for _ in read_source_lines(tmp_path / "calm")) == 2_000_000


@pytest.mark.parametrize("packer", [bytes, gzip.compress])
def test_an_endless_line_is_cut_and_put_aside(tmp_path: Path, packer: object) -> None:
    long = b'{"channel":"pong"}' + b" " * (12 << 20)
    (tmp_path / "long").write_bytes(packer(b"7 {}\n" + long + b"\n8 {}\n"))  # type: ignore[operator]
    first, cut, last = read_source_lines(tmp_path / "long")
    assert (first, last) == (b"7 {}", b"8 {}")
    assert len(cut) == MAX_LINE_BYTES
    assert Decoder(()).decode_line(1, long[: MAX_LINE_BYTES // 2], 0).reason is None
    assert Decoder(()).decode_line(1, cut, 0).reason is QuarantineReason.BAD_JSON


def closed(folder: Path, lines: bytes, stored: bytes, raw_bytes: int | None = None) -> tuple[Path, SegmentMeta]:
    """Write a segment file; return it with an index that knows its hashes, and `raw_bytes` of lines."""
    path = folder / "000000-0000.zst"
    path.write_bytes(stored)
    size = len(lines) if raw_bytes is None else raw_bytes
    sums = sha256(lines), sha256(stored)
    return path, SegmentMeta("t", "2026-01-01", path.name, 0, 0, 1, 1, 1, size, len(stored), *sums, 0, 0)


def test_a_segment_is_read_as_far_as_its_index_says(tmp_path: Path) -> None:
    lines = b"1 {}\n" * 100
    assert read_lines(*closed(tmp_path, lines, pack(lines))) == lines
    bomb(tmp_path / "bomb", 2_000)
    before = peak_mb()
    for raw_bytes in (500, MAX_BYTES + 1):
        with pytest.raises(TapeError, match=r"unpacks to other lines|changed or replaced"):
            read_lines(*closed(tmp_path, lines, (tmp_path / "bomb").read_bytes(), raw_bytes))
    assert peak_mb() - before < 100


def test_salvage_still_gives_every_whole_line() -> None:
    lines = b"".join(b"%d {}\n" % k for k in range(50_000))
    saved = salvage(pack(lines)[:-20])
    assert lines.startswith(saved.lines)
    assert salvage(pack(lines)).lines == lines


def test_a_recording_with_made_up_coins_is_refused() -> None:
    frames = (b'{"channel":"bbo","data":{"coin":"C%d"}}' % k for k in range(10**6))
    with pytest.raises(TapeError, match=f"more than {MAX_SEEN} coins"):
        survey(frames)


def test_a_header_with_more_coins_than_the_index_holds_is_refused() -> None:
    header = TapeHeader("t", "tests", tuple(HeaderAsset(f"C{k}", 2) for k in range(32_768)))
    with pytest.raises(TapeError, match=r"32768 coins.*at most 32767"):
        decode_header(encode_header(header), "header.json")


def test_deep_files_are_tape_errors(store: TapeStore, tmp_path: Path) -> None:
    line = msgspec.json.encode({"time": "2026-01-01T00:00:00", "local_time": "2026-01-01T00:00:00"})
    for reader in (book_lines, lambda x, w: fill_lines(x, frozenset(), w), lambda x, w: trade_lines(x, frozenset(), w)):
        with pytest.raises(TapeError, match="the archive's form"):
            list(reader([line[:-1] + b',"odd":' + DEEP + b"}"], "file"))  # type: ignore[operator]
    (store.folder / "header.json").write_bytes(b'{"odd":' + DEEP * 100 + b"}")
    with pytest.raises(TapeError, match="not a tape header"):
        store.header()
    day = store.folder / "2026-01-01"
    day.mkdir()
    (day / "000000-0000.zst").write_bytes(b"")
    (day / "000000-0000.zst.json").write_bytes(b'{"odd":' + DEEP * 100 + b"}")
    with pytest.raises(TapeError, match="not a segment index"):
        store.segments("2026-01-01")
