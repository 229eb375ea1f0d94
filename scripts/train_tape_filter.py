"""Train the shipped weights of the expert `tape_filter` on the market of the fixtures and write them beside the specs.

`python scripts/train_tape_filter.py` makes days 1 to 10 of the world demo, seed 7 (the fixtures' own), trains on the
first eight, judges on the last two, writes lotus/experts/weights/tape_filter-1.npz and prints its hash, which belongs
into lotus/experts/specs/tape_filter.yaml. The same command gives the same hash wherever NumPy sums alike.
"""

import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from lotus.experts.model import export_weights, weights_hash  # noqa: E402
from lotus.experts.spec import parse_spec  # noqa: E402
from lotus.experts.weekly.training import train  # noqa: E402
from lotus.experts.weekly.training_set import Examples, examples  # noqa: E402
from lotus.manifest import Asset, Manifest  # noqa: E402
from lotus.microtape.frames.machine import build_frames  # noqa: E402
from lotus.microtape.wire.decode import decode_lines  # noqa: E402
from lotus.simulation.fixtures import FIXTURE_WORLD  # noqa: E402
from lotus.simulation.world import World  # noqa: E402

DAYS, TRAINED, SEED = 10, 8, 1
EXPERT, FILE = "tape_filter", "tape_filter-1.npz"


def day_examples(day: int) -> Examples:
    """Return the examples of one day of the fixtures' world."""
    universe = tuple(Asset(a.name, a.sz_decimals) for a in FIXTURE_WORLD.assets)
    lines = b"".join(text for _, text in World(FIXTURE_WORLD).day_pieces(day))
    frames = build_frames(decode_lines(lines, universe)[0], Manifest(universe=universe), universe)
    text = (ROOT / f"lotus/experts/specs/{EXPERT}.yaml").read_text(encoding="utf-8")
    return examples(frames, parse_spec(text, f"{EXPERT}.yaml"))


def main() -> int:
    """Train, write, and say what came of it."""
    days = [day_examples(day) for day in range(DAYS)]
    number = np.repeat(np.arange(DAYS), [len(d.up) for d in days])
    x, up = np.concatenate([d.x for d in days]), np.concatenate([d.up for d in days])
    trained = train(x, up, number >= TRAINED, SEED)
    (ROOT / "lotus/experts/weights" / FILE).write_bytes(export_weights(trained.weights))
    print(
        f"{trained.rows[0]} rows trained on, {trained.rows[1]} unseen; "
        f"{trained.hit_rate:.1%} of unseen directions right"
    )
    print(
        f"log loss unseen {trained.loss:.5f}, trained on {trained.loss_trained:.5f}, knowing nothing {np.log(2.0):.5f}"
    )
    print(f"hash: {weights_hash(trained.weights)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
