"""Some hundred damaged bytes of `files.py` in every run of the tests; the script takes any number."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from files import make_home, run


def test_no_damaged_byte_is_believed_and_none_breaks_a_reader(tmp_path: Path) -> None:
    make_home(tmp_path)
    found = run(tmp_path, 300, 3)
    assert found["held"], found["failed"]
    assert found["kinds"] == ["document", "header", "index", "lake", "learner_state", "segment"]
