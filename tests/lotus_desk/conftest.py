"""The desk's tests share a small venue (`desk_bed`), a watched home (`watch_bed`) and lines of a feed."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
