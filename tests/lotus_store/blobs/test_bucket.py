"""What a bucket refuses is one error each: found, expected, likely cause."""

from pathlib import Path

import pytest
from object_store import BUCKET, rights_enforced

from lotus_store.blobs import bucket
from lotus_store.blobs.bucket import opened_bucket
from lotus_store.blobs.port import BlobError, create_same


def test_a_bucket_that_is_not_there_is_one_error(s3: int) -> None:
    absent = opened_bucket("s3://no-such-bucket/x")
    for act in (lambda: absent.put("k", b"1"), lambda: absent.get("k"), lambda: absent.sizes("k")):
        with pytest.raises(BlobError, match="there is no such bucket; expected: a bucket that exists"):
            act()


def test_wrong_credentials_are_one_error_and_nothing_is_written(s3: int, tmp_path: Path) -> None:
    place = opened_bucket(f"s3://{BUCKET}/{tmp_path.name}")
    with rights_enforced(s3):
        acts = (lambda: place.put("k", b"1"), lambda: create_same(place, "k", b"1"), lambda: place.get("k"),
                lambda: place.has("k"), lambda: place.sizes("k"), lambda: place.remove("k"))  # fmt: skip
        for act in acts:
            with pytest.raises(BlobError, match=r"access denied.*likely cause: AWS_ACCESS_KEY_ID"):
                act()
    assert place.sizes("") == {}


def test_a_host_that_is_not_there_is_one_error_in_bounded_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "TRIES", 1)
    for n, address in enumerate(("http://no.such.host.invalid:80", "http://127.0.0.1:9")):
        for name, value in {
            "AWS_ENDPOINT_URL": address,
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b",
        }.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(BlobError, match="an object store that answers; likely cause: no network, no such host"):
            opened_bucket(f"s3://{BUCKET}/away{n}").put("k", b"1")
