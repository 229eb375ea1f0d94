"""`lotus_store/learner_state.py` beside a lake in a bucket: another machine finds what one made, to the bit."""

from pathlib import Path

import numpy as np
import pytest
from object_store import BUCKET

from lotus_store.blobs.opening import open_blobs
from lotus_store.blobs.port import BlobError
from lotus_store.learner_state import WINDOWS, LearnerState

FACTS = {"detector_id": "d", "windows": 3}
ARRAYS = {"r": np.arange(10.0).reshape(2, 5) / 3.0}
DAY = "2025-01-06"


def test_another_machine_finds_what_one_made(tmp_path: Path, s3: int) -> None:
    lake = f"s3://{BUCKET}/{tmp_path.name}/"
    one, other = (LearnerState(tmp_path / home, "main", lake=lake) for home in ("one", "other"))
    assert other.read(DAY, "d", "k") is None
    for kind in ("sums", WINDOWS):
        one.write(DAY, "d", "k", FACTS, ARRAYS, kind)
        found = other.read(DAY, "d", "k", kind)
        assert found is not None
        assert found[0] == FACTS
        np.testing.assert_array_equal(found[1]["r"], ARRAYS["r"])
    bytes_of = [{p.name: p.read_bytes() for p in (tmp_path / home).rglob("d-k.*")} for home in ("one", "other")]
    assert bytes_of[0] == bytes_of[1]
    other.write(DAY, "d", "k", FACTS, ARRAYS)
    with pytest.raises(BlobError, match=r"d-k.sums holds .* two writers made different content"):
        other.write(DAY, "d", "k", FACTS, {"r": ARRAYS["r"] + 1.0})


def test_other_keys_other_days_and_damaged_objects_go(tmp_path: Path, s3: int) -> None:
    lake = f"s3://{BUCKET}/{tmp_path.name}"
    one, objects = LearnerState(tmp_path / "one", "main", "tr", lake), open_blobs(f"{lake}/.learner_state")
    for day, key in ((DAY, "old"), (DAY, "new"), ("2025-01-07", "new")):
        one.write(day, "d", key, FACTS, ARRAYS)
    one.write(DAY, "d-2", "new", FACTS, ARRAYS)
    root = "tr/branch=main"
    assert set(objects.sizes("")) == {
        f"{root}/day={DAY}/d-new.sums", f"{root}/day={DAY}/d-2-new.sums", f"{root}/day=2025-01-07/d-new.sums"
    }  # fmt: skip
    one.keep({DAY})
    assert set(objects.sizes("")) == {f"{root}/day={DAY}/d-new.sums", f"{root}/day={DAY}/d-2-new.sums"}
    objects.put(f"{root}/day={DAY}/d-new.sums", objects.get(f"{root}/day={DAY}/d-new.sums")[:-1])
    other = LearnerState(tmp_path / "other", "main", "tr", lake)
    assert other.read(DAY, "d", "new") is None
    other.write(DAY, "d", "new", FACTS, ARRAYS)
    assert LearnerState(tmp_path / "third", "main", "tr", lake).read(DAY, "d", "new") is not None
