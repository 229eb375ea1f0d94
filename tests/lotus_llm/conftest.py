"""What tests of the port share stands in `port_bed`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
