"""A trader on one coin can be imported by the tests of the handlers; see `hot_bed`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
