"""Worlds of other people's signals, and tables made of them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
