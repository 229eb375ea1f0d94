"""The tests of bits share the sweep; see `sweep`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
