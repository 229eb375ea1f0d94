"""The venues' tests share the conformance suite and their beds; see `check_venue`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
