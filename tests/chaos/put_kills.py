"""Kill writers in the middle of a put to an object store, and look past all of our code for what is half there.

`python tests/chaos/put_kills.py --kills 300`. A writer in a process of its own puts parts of a lake and shared learner
state over and over, in turns of other content; SIGKILL falls at a random moment between the begin of a put and its end
(the writer says both). After each kill every object that the store shows must have the length and content of a whole
one, and a new writer must be able to go on. An object store of S3's protocol is started for it (moto).
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))

from object_store import BUCKET, environment, object_store

from lotus_store.blobs.opening import open_blobs

ROWS, HEAD = 120_000, 16
WRITER = f"""
import sys, numpy as np
from pathlib import Path
from lotus.columns import Column, TableSpec
from lotus_store.lake import Lake
from lotus_store.learner_state import LearnerState
from lotus_store.blobs.bucket import BucketBlobs
spec = TableSpec("t", ("k",), (Column("k", "f8", "", ""),))
url, home, turn = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
put, create = BucketBlobs.put, BucketBlobs.create
def loud(of):
    def shown(*given):
        print("begin", flush=True)
        done = of(*given)
        print("end", flush=True)
        return done
    return shown
BucketBlobs.put, BucketBlobs.create = loud(put), loud(create)
while True:
    turn += 1
    values = np.random.default_rng(turn).normal(size={ROWS})
    Lake(url).write(spec, "main", f"2025-01-{{turn % 5 + 1:02d}}", {{"k": values}})
    key = turn % 7
    state = LearnerState(home, "main", lake=url)
    state.write("2025-01-01", "d", str(key), {{"turn": key}}, {{"k": np.full({ROWS}, key)}})
"""


def damaged(url: str) -> list[str]:
    """Return the objects that are not whole."""
    blobs, wrong = open_blobs(url), []
    for key in blobs.sizes(""):
        payload = blobs.get(key)
        if key.endswith(".parquet"):
            try:
                whole = len(pq.read_table(pa.BufferReader(payload), page_checksum_verification=True)) == ROWS
            except (OSError, pa.ArrowException):
                whole = False
        else:
            whole = payload[:HEAD] == hashlib.blake2b(payload[HEAD:], digest_size=HEAD).digest()
        wrong += [] if whole else [key]
    return wrong


def kill_one(url: str, home: Path, turn: int, dice: random.Random) -> bool:
    """Start a writer, let it finish some puts, kill it inside one; tell whether it was inside."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", WRITER, url, str(home), str(turn)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    begun = dice.randint(1, 4)
    while begun:
        line = process.stdout.readline()
        assert line, "the writer ended by itself"
        begun -= line == "begin\n"
    time.sleep(dice.random() * 0.02)
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    return not rest or rest[-1] == "begin"


def main() -> None:
    """Run the campaign; exit code 1 when an object was not whole."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--kills", type=int, default=300)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--json", action="store_true")
    asked = words.parse_args()
    dice, inside, wrong, seen = random.Random(asked.seed), 0, list[str](), 0
    with object_store() as port, tempfile.TemporaryDirectory() as home:
        os.environ.update(environment(port))
        url = f"s3://{BUCKET}/kills"
        for turn in range(asked.kills):
            inside += kill_one(url, Path(home), 10 * turn, dice)
            wrong += damaged(url)
        seen = len(open_blobs(url).sizes(""))
    found = {"kills": asked.kills, "inside_a_put": inside, "objects": seen, "truncated": len(wrong)}
    print(json.dumps(found) if asked.json else ", ".join(f"{name} {value}" for name, value in found.items()))
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
