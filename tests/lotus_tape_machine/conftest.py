"""Put this folder on the path: its tests share the generator of random expressions in `fuzz`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
