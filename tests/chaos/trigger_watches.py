"""Watch random triggers over random frames, live and in batch, and demand the same events bit for bit.

`python tests/chaos/trigger_watches.py --watches 10000 --seed 7`. Live takes a frame at a time, batch takes all at once;
a trigger that a detector's file could name comes through that file, so that what travels is what is watched. Exit
status 1 and the seed when a demand is broken.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

from lotus.detectors.spec_triggers import read_triggers, suggested
from lotus.errors import ConfigError
from lotus.experts.source import read_source
from lotus.triggers.checker import read_trigger
from lotus.triggers.watcher import Watcher

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / "lotus_triggers")]

from drawn_watches import drawn  # noqa: E402

FRAMES = 300


def travelled(text: str) -> tuple[str, bool]:
    """Return the text as a signal of a detector with it suggests it, and whether a detector's file takes it."""
    source = read_source(f"triggers:\n  long: '{text.replace(chr(39), 2 * chr(39))}'\n", "drawn.yaml")
    try:
        (sent,) = suggested(read_triggers(source.mapping()["triggers"]), 1.0)
    except ConfigError:
        return text, False
    return sent, True


def watch(seed: int) -> tuple[list[str], bool]:
    """Return what came of one random trigger; raises AssertionError where live and batch differ."""
    trigger, plan, trace = drawn(seed, FRAMES)
    text, taken = travelled(trigger.text)
    batch = Watcher(read_trigger(trigger.text), plan).run(trace.ints, trace.floats)
    live = Watcher(read_trigger(text), plan)
    events = [event for k in range(len(trace)) for event in live.step(trace.ints[k], trace.floats[k])]
    assert repr(tuple(events)) == repr(batch), f"seed {seed}: {trigger.text}"
    return [str(event.status) for event in events], taken


def run(watches: int, seed: int) -> Counter[str]:
    """Watch `watches` random triggers; raises AssertionError naming the first that broke the demand."""
    tally = Counter[str]()
    for k in range(watches):
        statuses, taken = watch(seed * 1_000_003 + k)
        tally.update(statuses)
        tally["of a detector's file"] += taken
        tally["without any event"] += not statuses
    return tally


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Watch random triggers live and in batch.")
    parser.add_argument("--watches", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    try:
        tally = run(options.watches, options.seed)
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    print(f"{options.watches} triggers, live = batch")
    for name, count in sorted(tally.items()):
        print(f"  {name:22} {count:8}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
