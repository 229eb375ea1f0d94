"""What both adapters of whole objects promise, against a folder and a real server of S3's protocol."""

import time
from pathlib import Path

import pytest
from object_store import BUCKET

from lotus_store.blobs.opening import open_blobs
from lotus_store.blobs.port import BlobError, Blobs, create_same


@pytest.fixture(params=["folder", "file", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path, s3: int) -> Blobs:
    places = {"folder": tmp_path, "file": f"file://{tmp_path}/a%20b", "bucket": f"s3://{BUCKET}/{tmp_path.name}"}
    return open_blobs(places[request.param])


def test_an_object_is_what_was_put_last(blobs: Blobs) -> None:
    key = "t/day=1/symbol=a%2Fb/part"
    assert not blobs.has(key)
    assert blobs.sizes("t") == {}
    for payload in (b"", b"one", memoryview(b"abcdef"), bytes(range(256)) * (6 << 12)):
        blobs.put(key, payload)
        assert blobs.get(key) == payload
        assert blobs.has(key)
        assert blobs.sizes("t") == blobs.sizes("t/day=1") == {key: len(payload)}
        if payload:
            assert blobs.tail(key, 4) == bytes(payload)[-4:]
            assert blobs.tail(key, len(payload) + 9) == payload
    assert blobs.sizes("t/day") == {}, "a prefix is whole steps"
    assert blobs.newest_s("t/day") == 0.0
    assert abs(blobs.newest_s("t") - time.time()) < 600.0
    blobs.remove(key)
    blobs.remove(key)
    with pytest.raises(FileNotFoundError):
        blobs.get(key)
    with pytest.raises(FileNotFoundError):
        blobs.tail(key, 4)


def test_of_two_contents_the_first_wins_and_the_second_is_refused_by_name(blobs: Blobs) -> None:
    assert create_same(blobs, "k/one", b"first")
    assert not create_same(blobs, "k/one", b"first")
    with pytest.raises(BlobError, match=r"k/one holds 5 bytes of sha256 a7937b64b8caa58f.*the 7 bytes of sha256"):
        create_same(blobs, "k/one", b"another")
    assert blobs.get("k/one") == b"first"
    assert blobs.sizes("") == {"k/one": 5}


def test_a_folder_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for act in (open_blobs(tmp_path).put, open_blobs(tmp_path).create):
        with pytest.raises(BlobError, match="file/k cannot be written"):
            act("file/k", b"1")
