"""One replay by a daemon of its own process, for tests that kill it: HOME RECORDING RUN_ID SPEED; prints a summary."""

import json
import sys
from pathlib import Path

from lotus_live.live import run_live
from lotus_store.config import load_settings
from lotus_venues.replay_server import ReplayPlan


def main(home: str, recording: str, run_id: str, speed: str) -> None:
    """Replay and print hash and counts."""
    result = run_live(load_settings(home), [Path(recording)], run_id=run_id, plan=ReplayPlan(speed=float(speed)))
    print(json.dumps({"hash": result.events_hash, "status": result.status}))


if __name__ == "__main__":
    main(*sys.argv[1:])
