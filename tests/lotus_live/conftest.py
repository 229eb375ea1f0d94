"""The daemon's tests share the program of a life; see `shadow_life`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
