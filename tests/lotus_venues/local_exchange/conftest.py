"""The tests of the local exchange share `local_world`: a small market, signed clients, waiting."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
