"""The signer's journal when the disk takes nothing: what closes is still signed, what opens is not, nothing is lost."""

import errno
import json
import os
from decimal import Decimal

import pytest
from full_disk import fill, small_disk
from read_only import read_only

from lotus.errors import VenueError
from lotus.timebase import DAY_MS
from lotus_venues.hyperliquid.journal import RESERVE_BYTES, SignerJournal

NOW = 1_780_000_000_000


def name(number):
    return f"0x{number:032x}"


def sign_all(journal, many, value):
    for k in range(1, many):
        journal.sign(NOW, "order", [name(k)], value, NOW + 2_000)


def test_closing_is_signed_on_a_full_disk_and_opening_is_not(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        journal = SignerJournal(disk / "signer")
        first = journal.sign(NOW, "order", [name(1)], Decimal(10), NOW + 2_000)
        ballast = fill(disk)
        nonces = [journal.sign(NOW, "order", [name(k)], Decimal(0), NOW + 2_000) for k in range(2, 40)]
        nonces.append(journal.sign(NOW + DAY_MS, "order", [name(40)], Decimal(0), NOW + DAY_MS + 2_000))
        assert nonces[:-1] == list(range(first + 1, first + 39)), "midnight came on a full disk"
        with pytest.raises(VenueError, match="journal cannot be written"):
            journal.sign(NOW, "order", [name(50)], Decimal(1), NOW + 2_000)
        journal.void(NOW, nonces[0])
        journal.close()
        again = SignerJournal(disk / "signer")
        assert again.last_nonce == nonces[-1]
        assert set(again.names.recent) == {name(k) for k in (1, *range(3, 41))}
        ballast.unlink()
        again.sign(NOW + DAY_MS, "order", [name(50)], Decimal(1), NOW + DAY_MS + 2_000)
        again.close()
        assert (disk / "signer" / "reserve").read_bytes() == b" " * RESERVE_BYTES, "moved where there was room again"
        last = SignerJournal(disk / "signer")
        assert set(last.names.recent) == {name(k) for k in (1, *range(3, 41), 50)}
        assert last.value_of_day(NOW + DAY_MS) == 1
        last.close()
        lines = (disk / "signer").glob("*.jsonl")
        assert all(json.loads(line) for path in lines for line in path.read_text().splitlines())


def test_half_a_line_is_cut_off_before_the_next(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        journal = SignerJournal(disk / "signer")
        journal.sign(NOW, "order", [name(0)], Decimal(1), NOW)
        fill(disk)
        with pytest.raises(VenueError, match="a disk with room"):  # the last block of the day's file still has room
            sign_all(journal, 200, Decimal(1))
        (disk / "ballast").unlink()
        journal.sign(NOW, "order", [name(900)], Decimal(1), NOW)
        known = set(journal.names.recent)
        journal.close()
        again = SignerJournal(disk / "signer")
        assert set(again.names.recent) == known
        again.close()


def test_a_folder_that_is_gone_keeps_the_reserve(tmp_path):
    journal = SignerJournal(tmp_path / "signer")
    (tmp_path / "signer").rename(tmp_path / "away")
    nonce = journal.sign(NOW, "order", [name(1)], Decimal(0), NOW + 2_000)
    with pytest.raises(VenueError, match="journal cannot be written"):
        journal.sign(NOW, "order", [name(2)], Decimal(5), NOW + 2_000)
    journal.close()
    (tmp_path / "away").rename(tmp_path / "signer")
    again = SignerJournal(tmp_path / "signer")
    assert (again.last_nonce, set(again.names.recent)) == (nonce, {name(1)})
    again.close()


def test_on_a_disk_that_is_read_only_from_the_start_what_closes_is_signed(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        journal = SignerJournal(disk / "signer")
        first = journal.sign(NOW, "order", [name(1)], Decimal(1), NOW + 2_000)
        fill(disk)
        kept = journal.sign(NOW, "order", [name(2)], Decimal(0), NOW + 2_000)
        journal.close()
        (day,) = (disk / "signer").glob("*.jsonl")
        day.write_bytes(day.read_bytes()[:-1] + b"\n" + b'{"n":')
        with read_only(disk):
            again = SignerJournal(disk / "signer")
            assert (again.last_nonce, set(again.names.recent)) == (kept, {name(1), name(2)})
            assert again.sign(NOW, "order", [name(3)], Decimal(0), NOW + 2_000) == first + 2
            with pytest.raises(VenueError, match="journal cannot be written"):
                again.sign(NOW, "order", [name(4)], Decimal(1), NOW + 2_000)
            with pytest.raises(VenueError, match="is in use"):
                SignerJournal(disk / "signer")
            again.close()


def test_a_reserve_has_an_end_and_that_is_told(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        journal = SignerJournal(disk / "signer")
        fill(disk)
        with pytest.raises(VenueError, match="a disk with room"):
            sign_all(journal, RESERVE_BYTES // 64, Decimal(0))
        assert len(journal.names) > 200
        journal.close()


def test_without_room_for_a_reserve_nothing_that_opens_is_signed(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        (disk / "signer").mkdir()
        ballast = fill(disk)
        journal = SignerJournal(disk / "signer")
        with pytest.raises(VenueError, match="journal cannot be written"):
            journal.sign(NOW, "order", [name(1)], Decimal(1), NOW + 2_000)
        ballast.unlink()
        journal.sign(NOW, "order", [name(1)], Decimal(1), NOW + 2_000)
        journal.close()


def test_killed_while_the_reserve_moves_its_lines_are_read_twice_and_say_the_same(tmp_path, monkeypatch):
    with small_disk(tmp_path / "disk") as disk:
        journal = SignerJournal(disk / "signer")
        journal.sign(NOW, "order", [name(1)], Decimal(7), NOW + 2_000)
        ballast = fill(disk)
        nonce = journal.sign(NOW, "order", [name(2)], Decimal(0), NOW + 2_000)
        kept = (disk / "signer" / "reserve").read_bytes()
        ballast.unlink()
        journal.sign(NOW, "order", [name(3)], Decimal(2), NOW + 2_000)
        journal.close()
        (disk / "signer" / "reserve").write_bytes(kept)
        again = SignerJournal(disk / "signer")
        assert again.names.recent[name(2)].nonce == nonce
        assert (again.value_of_day(NOW), again.last_nonce) == (9, nonce + 1)
        again.close()


def test_a_disk_that_takes_no_write_at_all_holds_up_no_closing(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    journal = SignerJournal(tmp_path / "signer")
    first = journal.sign(NOW, "order", [name(1)], Decimal(10), NOW + 2_000)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refused)
        patch.setattr(os, "pwrite", refused)
        assert journal.sign(NOW, "order", [name(2)], Decimal(0), NOW + 2_000) == first + 1
        with pytest.raises(VenueError, match="journal cannot be written"):
            journal.sign(NOW, "order", [name(3)], Decimal(1), NOW + 2_000)
        with pytest.raises(VenueError, match="a disk with room"):
            sign_all(journal, RESERVE_BYTES // 64, Decimal(0))
    journal.sign(NOW, "order", [name(4)], Decimal(1), NOW + 2_000)
    known = set(journal.names.recent)
    journal.close()
    again = SignerJournal(tmp_path / "signer")
    assert set(again.names.recent) == known, "what waited in memory was written when the disk took it"
    again.close()
