"""How a drill that kills what trades ends: is everything whole, what is printed, what is kept, the exit code."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any, NoReturn

WRONG = ("duplicate_orders", "unknown_orders", "unknown_fills", "open_orders", "positions")


def is_whole(found: dict[str, Any], bare_limit_s: float) -> bool:
    """Tell whether every plan ended, nothing is doubled, unknown or open, and no position was bare for too long."""
    left = sum(n for stage, n in found["plans"].items() if stage not in ("done", "refused"))
    return not left and not any(found[name] for name in WRONG) and found["longest_bare_s"] <= bare_limit_s


def end_drill(found: dict[str, Any], folder: Path, kills: int, as_json: bool) -> NoReturn:
    """Print what was found and leave; the folder stays unless everything was whole."""
    print(json.dumps(found) if as_json else "\n".join(f"{key:<24} {value}" for key, value in found.items()))
    if found["whole"]:
        shutil.rmtree(folder)
    sys.exit(0 if found["whole"] and found["kills"] >= kills else 1)
