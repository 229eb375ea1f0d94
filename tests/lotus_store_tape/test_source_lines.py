"""Lines of foreign files take no more memory than they may: bombs, endless lines, made-up coins."""

import gzip
import resource
from pathlib import Path

import lz4.frame
import pytest
import zstandard

from lotus.errors import TapeError
from lotus.microtape.wire.decode import Decoder
from lotus.microtape.wire.frame import MAX_LINE_BYTES
from lotus.microtape.wire.reasons import QuarantineReason
from lotus_store.tape.coin_units import MAX_SEEN, survey
from lotus_store.tape.source_lines import read_source_lines

from .bombs import bomb


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


def test_a_recording_with_made_up_coins_is_refused() -> None:
    frames = (b'{"channel":"bbo","data":{"coin":"C%d"}}' % k for k in range(10**6))
    with pytest.raises(TapeError, match=f"more than {MAX_SEEN} coins"):
        survey(frames)
