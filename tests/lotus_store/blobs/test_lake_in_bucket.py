"""`lotus_store/lake.py` over a bucket: the bytes, days, hashes and documents of a folder, whole after any kill."""

from pathlib import Path
from urllib.parse import quote

import numpy as np
import pyarrow.parquet as pq
import pytest
from object_store import BUCKET, call

from lotus.columns import Column, TableSpec
from lotus.errors import LakeError
from lotus_store.lake import Lake

SPEC = TableSpec("t", ("k",), (Column("k", "i8", "", ""), Column("x", "f8", "", ""), Column("n", "text", "", "")))


def rows(n: int, wide: float = 1.0) -> dict[str, np.ndarray]:
    names = np.array([f"é{k % 5}" for k in range(n)], dtype=object)
    return {"k": np.arange(n), "x": np.random.default_rng(n).normal(size=n) * wide, "n": names}


def test_a_lake_in_a_bucket_is_that_of_a_folder(tmp_path: Path, s3: int) -> None:
    folder, bucket = Lake(tmp_path), Lake(f"s3://{BUCKET}/{tmp_path.name}/")
    for n, symbol in ((0, None), (1, "B/T C"), (70_000, "ETH")):
        here = folder.write(SPEC, "main", "2025-01-01", rows(n), symbol)
        there = bucket.write(SPEC, "main", "2025-01-01", rows(n), symbol)
        assert (there.rows, there.content_hash) == (here.rows, here.content_hash)
        key = there.path.removeprefix(f"s3://{BUCKET}")
        assert call(s3, "GET", f"/{BUCKET}{quote(key)}") == Path(here.path).read_bytes()
        for lake in (folder, bucket):
            assert lake.verify("t", "main", "2025-01-01", symbol) == here.content_hash
            assert lake.hash_of("t", "main", "2025-01-01", symbol) == here.content_hash
            back = lake.read("t", "main", "2025-01-01", symbol, ("x", "k"), SPEC, within=("k", 40_000, 40_002))
            np.testing.assert_array_equal(back["k"], [k for k in (40_000, 40_001, 40_002) if k < n])
    folder.write_document("text", "main", "2025-01-02", "é")
    bucket.write_document("text", "main", "2025-01-02", "é")
    for ask in (
        lambda lake: lake.days("t", "main"),
        lambda lake: lake.branches("t"),
        lambda lake: lake.symbols("t", "main", "2025-01-01"),
        lambda lake: lake.stored_bytes(["t", "text"], "main"),
        lambda lake: lake.read_document("text", "main", "2025-01-02"),
        lambda lake: (lake.has_document("text", "main", "2025-01-02"), lake.exists("t", "main", "2025-01-01", "ETH")),
    ):
        assert ask(bucket) == ask(folder)
    filesystem, base = bucket.place()
    assert len(pq.read_table(f"{base}/t", filesystem=filesystem)) == 70_001
    bucket.remove("t", "main", "2025-01-01", "ETH")
    with pytest.raises(LakeError, match="that stage was not materialised"):
        bucket.read("t", "main", "2025-01-01", "ETH")


def test_a_footer_longer_than_what_is_asked_for_is_read_whole(
    tmp_path: Path, s3: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lotus_store.lake.FOOTER_BYTES", 100)
    lake = Lake(f"s3://{BUCKET}/{tmp_path.name}")
    assert lake.write(SPEC, "main", "2025-01-01", rows(5)).content_hash == lake.hash_of("t", "main", "2025-01-01")


def test_damage_in_a_bucket_is_an_error(tmp_path: Path, s3: int) -> None:
    lake = Lake(f"s3://{BUCKET}/{tmp_path.name}")
    path = lake.write(SPEC, "main", "2025-01-01", rows(1000)).path.removeprefix(f"s3://{BUCKET}")
    whole = call(s3, "GET", f"/{BUCKET}{path}")
    for damaged in (b"", whole[:7], whole[: len(whole) // 2], whole[:-1]):
        call(s3, "PUT", f"/{BUCKET}{path}", damaged)
        for ask in (lake.read, lake.hash_of, lake.verify):
            with pytest.raises(LakeError, match="cannot be read"):
                ask("t", "main", "2025-01-01")
