"""The lake: what is written is read, damage is noticed, and a kill leaves the old file or the new one."""

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.columns import Column, TableSpec
from lotus.errors import LakeError, SchemaError
from lotus.hashing import content_hash
from lotus_store.lake import Lake
from lotus_store.parquet_part import groups_within

SPEC = TableSpec(
    "frames",
    ("k",),
    (
        Column("k", "i8", "", "key"),
        Column("x", "f8", "bps", "value", nullable=True),
        Column("name", "text", "", "text"),
        Column("flag", "?", "", "flag"),
        Column("bits", "u8", "", "mask"),
        Column("bin", "u1", "", "bin"),
    ),
)


def table(n: int, seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=n)
    x[::7] = np.nan
    return {
        "k": np.arange(n, dtype="i8"),
        "x": x,
        "name": np.array([f"é{i % 5}" for i in range(n)], dtype=object),
        "flag": random.random(n) < 0.5,
        "bits": random.integers(0, 2**64, n, dtype="u8"),
        "bin": random.integers(0, 256, n, dtype="u1"),
    }


@pytest.mark.parametrize("where", ["folder", "memory"])
@pytest.mark.parametrize("n", [0, 1, 1000])
def test_reads_what_was_written(tmp_path: Path, where: str, n: int) -> None:
    lake = Lake(tmp_path / "lake" if where == "folder" else f"memory://{tmp_path.name}{n}")
    columns = table(n)
    written = lake.write(SPEC, "main", "2025-01-01", columns)
    back = lake.read("frames", "main", "2025-01-01", spec=SPEC)
    assert list(back) == list(SPEC.names)
    for name, values in columns.items():
        assert back[name].dtype == values.dtype
        np.testing.assert_array_equal(back[name], values)
        assert back[name].flags.writeable
    assert written.rows == n
    assert written.content_hash == content_hash(columns) == lake.hash_of("frames", "main", "2025-01-01")
    assert lake.verify("frames", "main", "2025-01-01") == written.content_hash


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(), st.text()), max_size=30))
@settings(max_examples=examples(40), deadline=None)
def test_any_value_survives(rows: list[tuple[int, float, str]]) -> None:
    spec = TableSpec("any", ("k",), (Column("k", "i8", "", ""), Column("x", "f8", "", ""), Column("t", "text", "", "")))
    lake = Lake("memory://any")
    rows = [(k, x, t.encode("utf-8", "ignore").decode()) for k, x, t in rows]
    columns = {
        "k": np.array([r[0] for r in rows], dtype="i8"),
        "x": np.array([r[1] for r in rows], dtype="f8"),
        "t": np.array([r[2] for r in rows], dtype=object),
    }
    written = lake.write(spec, "b", "2025-01-01", columns)
    back = lake.read("any", "b", "2025-01-01")
    assert content_hash(back) == written.content_hash
    assert list(back["t"]) == list(columns["t"])


@pytest.mark.parametrize("n", [0, 1, 1000])
def test_only_flagged_rows_are_read_when_a_flag_is_named(tmp_path: Path, n: int) -> None:
    lake, columns = Lake(tmp_path), table(n)
    lake.write(SPEC, "main", "2025-01-01", columns)
    back = lake.read("frames", "main", "2025-01-01", columns=("k", "name", "x", "flag"), where="flag")
    for name, values in back.items():
        np.testing.assert_array_equal(values, columns[name][columns["flag"]])
        assert values.dtype == columns[name].dtype


@pytest.mark.parametrize("is_believed", [False, True])
def test_only_groups_with_rows_between_two_values_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_believed: bool
) -> None:
    monkeypatch.setattr("lotus_store.lake.ROW_GROUP", 100)
    lake, columns = Lake(tmp_path), table(1000)
    written = lake.write(SPEC, "main", "2025-01-01", columns)
    groups = pq.ParquetFile(written.path)
    if not is_believed:
        monkeypatch.setattr("lotus_store.lake.Verified.__contains__", lambda *_: False)
    k = columns["k"]
    for least, largest in ((0, 10**9), (int(k[150]), int(k[249])), (int(k[500]), int(k[500])), (-5, -1), (9, 3)):
        back = lake.read("frames", "main", "2025-01-01", columns=("k", "name", "x"), within=("k", least, largest))
        for name, values in back.items():
            np.testing.assert_array_equal(values, columns[name][(k >= least) & (k <= largest)])
    assert groups_within(groups, "k", int(k[150]), int(k[249])) == [1, 2]
    assert groups_within(groups, "k", -5, -1) == []


def test_a_later_column_is_stored_and_hashed_only_where_it_says_something(tmp_path: Path) -> None:
    lake, day = Lake(tmp_path), "2025-01-01"
    wider = TableSpec(
        "frames", ("k",), (*SPEC.columns[:2], Column("gate", "f8", "", "", later=True), *SPEC.columns[2:])
    )
    before = lake.write(SPEC, "main", day, table(50))
    raw = Path(before.path).read_bytes()
    quiet = table(50) | {"gate": np.zeros(50)}
    assert lake.write(wider, "main", day, quiet).content_hash == before.content_hash
    assert Path(before.path).read_bytes() == raw
    back = lake.read("frames", "main", day, spec=wider)
    assert list(back) == list(wider.names)
    np.testing.assert_array_equal(back["gate"], np.zeros(50))
    assert lake.read("frames", "main", day, columns=("gate", "k"), spec=wider)["gate"].tolist() == [0.0] * 50
    flagged = lake.read("frames", "main", day, spec=wider, where="flag")
    assert {len(values) for values in flagged.values()} == {int(quiet["flag"].sum())}
    loud = quiet | {"gate": np.where(np.arange(50) == 3, 0.5, 0.0)}
    assert (
        lake.write(wider, "main", day, loud).content_hash == lake.verify("frames", "main", day) != before.content_hash
    )
    np.testing.assert_array_equal(lake.read("frames", "main", day, spec=wider)["gate"], loud["gate"])
    with pytest.raises(SchemaError, match="another version"):
        lake.read("frames", "main", day, spec=SPEC)


def test_column_pruning_listing_and_symbols(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    lake.write(SPEC, "main", "2025-01-02", table(3), symbol="BTC")
    lake.write(SPEC, "main", "2025-01-02", table(3), symbol="ETH")
    lake.write(SPEC, "main", "2025-01-01", table(3))
    lake.write(SPEC, "other", "2025-01-09", table(3))
    assert lake.days("frames", "main") == ["2025-01-01", "2025-01-02"]
    assert lake.days("frames", "none") == []
    assert lake.symbols("frames", "main", "2025-01-02") == ["BTC", "ETH"]
    assert lake.exists("frames", "main", "2025-01-02", "BTC")
    assert not lake.exists("frames", "main", "2025-01-02")
    assert list(lake.read("frames", "main", "2025-01-01", columns=["bin", "k"])) == ["bin", "k"]
    expected = tmp_path / "frames" / "branch=main" / "day=2025-01-02" / "symbol=BTC" / "part.parquet"
    assert expected.is_file()


def test_a_column_that_is_asked_for_twice_is_read_once_from_a_file_that_nobody_verified(tmp_path: Path) -> None:
    Lake(tmp_path).write(SPEC, "main", "2026-01-05", table(9))
    for _ in range(2):  # verified now, then known
        assert [*Lake(tmp_path).read("frames", "main", "2026-01-05", columns=("k", "x", "k"))] == ["k", "x"]


def test_refuses_other_shapes(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    good = table(5)
    for bad in (
        {k: v for k, v in good.items() if k != "x"},
        good | {"more": good["k"]},
        good | {"k": good["x"]},
        good | {"k": good["k"][:3]},
        good | {"name": good["k"]},
        good | {"k": good["k"].reshape(1, 5)},
    ):
        with pytest.raises(SchemaError):
            lake.write(SPEC, "main", "2025-01-01", bad)
    assert not lake.exists("frames", "main", "2025-01-01")
    lake.write(SPEC, "main", "2025-01-01", good)
    other = TableSpec("frames", ("k",), SPEC.columns[:-1])
    with pytest.raises(SchemaError, match="another version"):
        lake.read("frames", "main", "2025-01-01", spec=other)
    with pytest.raises(SchemaError, match="no column 'y'"):
        lake.read("frames", "main", "2025-01-01", columns=["y"])


def test_missing_truncated_and_damaged_files_are_named(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(LakeError, match=r"there is no .*likely cause: that stage was not materialised"):
        lake.read("frames", "main", "2025-01-01")
    path = Path(lake.write(SPEC, "main", "2025-01-01", table(50_000)).path)
    whole = path.read_bytes()
    for cut in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:cut])
        with pytest.raises(LakeError, match="cannot be read"):
            lake.read("frames", "main", "2025-01-01")
    flipped = bytearray(whole)
    flipped[len(whole) // 3] ^= 0xFF
    path.write_bytes(bytes(flipped))
    with pytest.raises(LakeError, match="cannot be read"):
        lake.read("frames", "main", "2025-01-01")


def test_documents(tmp_path: Path) -> None:
    for lake in (Lake(tmp_path), Lake("memory://documents")):
        with pytest.raises(LakeError, match="there is no"):
            lake.read_document("day_tables", "main", "2025-01-01")
        lake.write_document("day_tables", "main", "2025-01-01", '{"é": 1}')
        assert lake.read_document("day_tables", "main", "2025-01-01") == '{"é": 1}'


@pytest.mark.kill("a writer dies at many moments")
def test_kill_leaves_a_whole_file_and_no_debris(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys, numpy as np
        from lotus.columns import Column, TableSpec
        from lotus_store.lake import Lake
        spec = TableSpec("t", ("k",), (Column("k", "i8", "", ""),))
        turn = 0
        while True:
            turn += 1
            Lake(sys.argv[1]).write(spec, "main", "2025-01-01", {"k": np.full(200_000, turn, dtype="i8")})
            print(turn, flush=True)
        """
    )
    lake = Lake(tmp_path)
    random = np.random.default_rng(3)
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        for _ in range(int(random.integers(2, 6))):
            last = int(process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        found = lake.read("t", "main", "2025-01-01")["k"]
        assert len(found) == 200_000
        assert len(set(found.tolist())) == 1
        assert found[0] >= last
        lake.verify("t", "main", "2025-01-01")
    spec = TableSpec("t", ("k",), (Column("k", "i8", "", ""),))
    path = Path(lake.write(spec, "main", "2025-01-01", {"k": np.zeros(1, dtype="i8")}).path)
    assert [p.name for p in path.parent.iterdir()] == ["part.parquet"]


def flipped(path: Path, at: int, bit: int) -> None:
    """Change one bit of a file as a bad disk would, under another identity."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1 << bit
    path.with_name("other").write_bytes(raw)
    path.with_name("other").replace(path)


@pytest.mark.parametrize("columns", [None, ("k",)])
def test_no_changed_bit_gives_other_values_or_another_error(tmp_path: Path, columns: tuple[str, ...] | None) -> None:
    lake = Lake(tmp_path)
    given = table(300)
    path = Path(lake.write(SPEC, "main", "2025-01-01", given).path)
    whole, random = path.read_bytes(), np.random.default_rng(5)
    refused = 0
    for at in random.integers(0, len(whole), 150):
        flipped(path, int(at), int(random.integers(8)))
        try:
            back = lake.read("frames", "main", "2025-01-01", columns=columns)
        except (LakeError, SchemaError) as error:
            refused += str(path) in str(error)
        else:
            assert all(np.array_equal(back[c], given[c], equal_nan=c == "x") for c in columns or SPEC.names)
        path.write_bytes(whole)
    assert refused > 50


def test_other_values_under_a_sound_footer_are_refused_whichever_columns_are_read(tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    path = Path(lake.write(SPEC, "main", "2025-01-01", table(10)).path)
    other = pq.read_table(path)
    other = other.set_column(1, "x", pa.array(np.arange(10.0))).replace_schema_metadata(other.schema.metadata)
    for again in (path, path):  # a refusal is not remembered as a success
        pq.write_table(other, again)
        with pytest.raises(LakeError, match=r"hash to .*lotus backfill --from"):
            lake.read("frames", "main", "2025-01-01", columns=("k",))


def test_a_part_is_hashed_once_a_process_and_again_when_it_is_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = Lake(tmp_path)
    path = Path(lake.write(SPEC, "main", "2025-01-01", table(10)).path)
    hashed: list[str] = []
    monkeypatch.setattr("lotus_store.lake._check", lambda path, *_: hashed.append(path))
    lake.read("frames", "main", "2025-01-01")
    assert hashed == []  # written here
    path.with_name("other").write_bytes(path.read_bytes())
    path.with_name("other").replace(path)
    for _ in range(3):
        lake.read("frames", "main", "2025-01-01", columns=("k",))
    assert hashed == [str(path)]


def test_no_changed_bit_of_a_footer_is_believed_where_size_and_times_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_store.lake.identity_of", lambda path, more="": (str(path), 0, 0, 0, 0, 0, more))
    lake, given = Lake(tmp_path), table(300)
    path = Path(lake.write(SPEC, "main", "2025-01-01", given).path)
    whole = path.read_bytes()
    for at in range(len(whole) - 995, len(whole) - 980):  # of the middle of 1.6 kB: where pages begin, which types
        for bit in range(8):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            with suppress(LakeError, SchemaError):
                back = lake.read("frames", "main", "2025-01-01", spec=SPEC)
                assert all(np.array_equal(back[c], given[c], equal_nan=c == "x") for c in SPEC.names), (at, bit)
