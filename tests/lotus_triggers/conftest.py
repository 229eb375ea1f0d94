"""The helpers of these tests are modules beside them."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "chaos"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
