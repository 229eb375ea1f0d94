"""From a place to its objects."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lotus_store.blobs.opening import folder_of, open_blobs
from lotus_store.blobs.port import BlobError


def test_a_place_of_no_kind_is_refused_before_anything_is_asked() -> None:
    for place in ("s3://key:secret@bucket/x", "s3://bucket/x?scheme=http", "s3:///x", "nonsense://b/x"):
        with pytest.raises(BlobError, match=r"expected: s3://BUCKET/PATH") as refused:
            open_blobs(place)
        assert "secret" not in str(refused.value)
    assert folder_of("s3://b/x") is None
    assert folder_of("/a/b") == Path("/a/b")


def test_without_a_bucket_obstore_is_not_imported(tmp_path: Path) -> None:
    script = (
        "import sys; from lotus_store.lake import Lake; from lotus_store.blobs.opening import open_blobs;"
        "open_blobs(sys.argv[1]).put('k', b'1'); Lake(sys.argv[1]).days('t', 'b'); print('obstore' in sys.modules)"
    )
    command = [sys.executable, "-P", "-c", script, str(tmp_path)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert answer.stdout == "False\n"
