"""A candidate as commands show it."""

from typing import Any

ROW: dict[str, Any] = {
    "candidate_id": "abcdef0123456789", "state": "refused", "check": "bar", "value": 3.1, "bound": 4.2,
    "reason": "evidence of 3.10 nats is below ln N = 4.20", "expression": "flow - imbalance", "side": -1,
    "horizon_s": 300, "t": 2.49,
    "folds": [1.0, 1.2], "daily_bps": [10.0, 12.0], "depth": 2, "nodes": 3,
    "found_as": "(flow - imbalance) * 1",
    "found_nodes": 5, "operator": "grow", "parents": [], "spec": "detector_id: bred_abcdef012345\n",
    "night": "2026-01-20",
    "run": "r",
}  # fmt: skip
