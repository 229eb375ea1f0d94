"""The tests of the local exchange share `local_world` and `small_engine`, and the naive matcher of its benchmark."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[3])]
