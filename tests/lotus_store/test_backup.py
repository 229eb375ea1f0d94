"""Backup and restore: equal rows on the other side, and nothing but a whole backup into empty ledgers."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from lotus.errors import LedgerError
from lotus.priors.types import ActiveBraid, Literal, Patch, Rule, priors_0, priors_version
from lotus_herald.keys import Keys
from lotus_modules.priors.hand_over import hand_over
from lotus_modules.priors.prior_patch import propose
from lotus_store.backup import backup, restore
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.day_commits import DayCommit, commit_day
from lotus_store.ledger.signals.live_log import FillRow, OrderRow, command, put_fills, put_orders
from lotus_store.ledger.signals.segments import QuarantinedRow, write_quarantine
from lotus_store.postgres.migrations import LOTUS_DATABASES
from lotus_store.postgres.queries import query


@pytest.fixture
def other() -> Iterator[Settings]:
    place = Path(tempfile.mkdtemp(prefix="lotus-restore-"))
    yield Settings(place)
    shutil.rmtree(place)


def contents(databases: Databases) -> dict[str, list[str]]:
    found = {}
    for name in LOTUS_DATABASES:
        with databases.connect(name) as c:
            for table, _ in c.execute(query("common", "copied_tables")).fetchall():
                found[f"{name}.{table}"] = sorted(str(r) for r in c.execute(f"SELECT * FROM {table}").fetchall())
    return found


@pytest.fixture
def filled(databases: Databases, tmp_path: Path) -> Databases:
    keys = Keys(tmp_path / "keys")
    braid = ActiveBraid("b", "micro", "d", 30, Rule.of(Literal(0, 1, 2)), Patch(-0.05, 1.01), lesson_id="l")
    version = priors_version("main", 1_735_783_200_000, (braid,))
    with databases.connect("sig") as c:
        commit_day(c, DayCommit("main", "2025-01-01", "signal_events", "h", 3, "i", {"text": "tab\tline\nback\\slash"}))
        write_quarantine(c, "live", "2025-01-01", [QuarantinedRow(1, "json", "é\0\ud800", "\\N")])
        c.execute("SELECT signal_partitions('2025-01-31')")
        for day in ("2025-02-01", "2025-01-31"):
            c.execute(
                "INSERT INTO signal_eval VALUES ('main', %s, %s, 'd', 'BTC', 0, 0, 30, 1, 2, 'NaN', 'x', 'ok')",
                [day, day],
            )
        command(c, "swap")
        put_orders(c, "run", [OrderRow("o", "e", "BTC", 1, "filled", {})])
        put_fills(c, "run", [FillRow("f", "o", "BTC", 1, {"px": 1.5})])
        random = np.random.default_rng(7)
        for state in ("sent", "filled"):  # what is written anew leaves room, and the copy is packed in another order
            for k in random.permutation(400).tolist():
                detail = random.bytes(int(random.integers(10, 900))).hex()
                put_orders(c, "run", [OrderRow(f"long{k}", "e", "BTC", 1, state, {"detail": detail})])
        propose(c, version, "2025-01-01", priors_0("main").priors_ver, keys)
    hand_over(databases, version, keys, 1_735_776_000_000)
    return databases


@pytest.mark.process("a second server is restored into")
def test_round_trip(filled: Databases, settings: Settings, other: Settings, tmp_path: Path) -> None:
    file = tmp_path / "ledger.tar.zst"
    rows = backup(settings, file)
    assert rows["sig"] > 8
    assert rows["atlas"] == 2
    assert restore(other, file) == rows
    with Databases(other) as copy:
        assert contents(copy) == contents(filled)
        with copy.connect("sig") as c:
            last = c.execute("SELECT max(command_id) FROM control").fetchone()
            assert last == (command(c, "next") - 1,), "numbering goes on"
            c.rollback()
    assert restore(other, file) == rows, "an interrupted restore may be run again"
    with Databases(other) as copy:
        with copy.connect("sig") as c:
            c.execute("DELETE FROM quarantine")
        with pytest.raises(LedgerError, match="an empty ledger"):
            restore(other, file)


@pytest.mark.process("a second server is restored into")
def test_damaged_files_change_nothing(filled: Databases, settings: Settings, other: Settings, tmp_path: Path) -> None:
    file = tmp_path / "ledger.tar.zst"
    backup(settings, file)
    whole = file.read_bytes()
    cut = [whole[: len(whole) * k // 10] for k in (0, 5, 9)]
    flips = [whole[:k] + bytes([whole[k] ^ 0x10]) + whole[k + 1 :] for k in range(0, len(whole), len(whole) // 12)]
    with Databases(other) as empty:
        empty.open()
        before = contents(empty)
        for bad in (*cut, *flips, b"no backup at all"):
            file.write_bytes(bad)
            with pytest.raises(LedgerError):
                restore(other, file)
        with pytest.raises(LedgerError, match="cannot be read"):
            restore(other, tmp_path / "missing")
        assert contents(empty) == before
