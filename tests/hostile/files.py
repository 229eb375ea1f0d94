"""Damage of stored files: one byte at a time is changed in the files of a home, and each is read as Lotus reads it.

`tests/hostile/files.py --n 20000 --seed 1` makes a small home (two days of tape, lake tables, a document, learner's
state) and damages that; `--home PLACE` takes a copy of another home's tape, lake and learner's state instead. What is
read afterwards is equal, or refused with a sentence that names the file (or, of the learner's state, not there), or it
is a failure: other values, or an error that is none of Lotus's. (Literature: fault injection, bit rot.)
"""

import argparse
import json
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np

from lotus.columns import Column, TableSpec
from lotus.errors import LotusError
from lotus.hashing import content_hash
from lotus_store.day_tables import tables_of_day
from lotus_store.files import make_folder
from lotus_store.lake import Lake
from lotus_store.learner_state import LearnerState
from lotus_store.tape.bulk import write_segment
from lotus_store.tape.header import HeaderAsset, TapeHeader
from lotus_store.tape.segment import read_index, read_lines
from lotus_store.tape.store import TapeStore

DAYS = ("2025-01-06", "2025-01-07")
EQUAL, REFUSED, OTHER, TRACE = "equal", "refused", "other values", "traceback"
SPEC = TableSpec(
    "signal_events",
    ("k",),
    (
        Column("k", "i8", "", "key"),
        Column("x", "f8", "bps", "value", nullable=True),
        Column("name", "text", "", "text"),
        Column("flag", "?", "", "flag"),
        Column("bits", "u8", "", "mask"),
    ),
)


class NotThereError(LotusError):
    """A file of the learner's state that will be made again."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One file, what it is, and its reading: a hash of all values that Lotus takes from it."""

    kind: str
    path: Path
    read: Callable[[], str]


def make_home(home: Path) -> None:
    """Write a small home of every kind of file that holds what is learned from."""
    draw = np.random.default_rng(7)
    store = TapeStore(home, "live")
    store.write_header(TapeHeader("live", "hostile", (HeaderAsset("BTC", 5), HeaderAsset("ETH", 4)), note="small"))
    lake, state = Lake(home / "lake"), LearnerState(home, "main")
    for number, day in enumerate(DAYS):
        begin = (1_736_121_600 + number * 86_400) * 10**9
        lines = b"".join(b'%d {"channel":"bbo","n":%d}\n' % (begin + i * 10**8, i) for i in range(400))
        make_folder(store.folder / day)
        write_segment(store.folder / day, store.tape, lines, 1, 0)
        columns = {
            "k": np.arange(500),
            "x": np.where(draw.random(500) < 0.1, np.nan, draw.normal(size=500)),
            "name": np.array([f"é{i % 7}" for i in range(500)], dtype=object),
            "flag": draw.random(500) < 0.5,
            "bits": draw.integers(0, 2**63, 500, dtype="u8"),
        }
        lake.write(SPEC, "main", day, columns)
        lake.write_document("report", "main", day, json.dumps({"day": day, "p": list(draw.random(20))}))
        state.write(day, "d", "0" * 32, {"windows": 500, "sum_h": 0.25}, {"r": columns["x"], "f": columns["flag"]})


def files_of(home: Path) -> Iterator[Stored]:
    """Yield the files of tape, lake and learner's state with their readings."""
    for folder in sorted((home / "tape").glob("*")):
        store = TapeStore(home, folder.name)
        yield Stored("header", folder / "header.json", lambda s=store: repr(s.header()))  # type: ignore[misc]
        for day in store.days():
            for meta in store.segments(day):
                path = folder / meta.path
                for kind, file in (("segment", path), ("index", path.with_name(path.stem + ".zst.json"))):
                    yield Stored(kind, file, lambda p=path: _segment(p))  # type: ignore[misc]
    lake = Lake(home / "lake")
    for path in sorted((home / "lake").rglob("part.parquet")):
        name, *steps = path.relative_to(home / "lake").parts[:-1]
        place = dict(step.split("=") for step in steps)
        yield Stored("lake", path, lambda n=name, p=place: content_hash(lake.read(n, **p)))  # type: ignore[misc]
    for path in sorted((home / "lake").rglob("document.json")):
        name, *steps = path.relative_to(home / "lake").parts[:-1]
        place = dict(step.split("=") for step in steps)
        yield Stored("document", path, lambda n=name, p=place: _document(lake, n, **p))  # type: ignore[misc]
    for path in sorted(p for p in (home / "learner_state").glob("*/*/*") if p.is_file() and _is_there(home, p)):
        yield Stored("learner_state", path, lambda p=path: _state(home, p))  # type: ignore[misc]


def _document(lake: Lake, name: str, branch: str, day: str) -> str:
    return repr(tables_of_day(lake, branch, day)) if name == "day_tables" else lake.read_document(name, branch, day)


def _segment(path: Path) -> str:
    meta = read_index(path)
    return repr(meta) + blake2b(read_lines(path, meta)).hexdigest()


def _is_there(home: Path, path: Path) -> bool:
    """Tell whether a file of the learner's state is read at all: one of another release is not."""
    with suppress(NotThereError):
        return bool(_state(home, path))
    return False


def _state(home: Path, path: Path) -> str:
    stem, _, kind = path.name.rpartition(".")
    detector, _, key = stem.rpartition("-")
    branch, day = (step.partition("=")[2] for step in path.parts[-3:-1])
    found = LearnerState(home, branch).read(day, detector, key, kind)
    if found is None:
        raise NotThereError(str(path), "made again from the scores", "damage")
    return json.dumps(found[0], sort_keys=True) + content_hash({n: v.reshape(-1) for n, v in found[1].items()})


def damage(stored: Stored, draw: random.Random) -> tuple[str, str]:
    """Change one byte of a file, read it and put the file back; return the outcome and what was said."""
    whole, known = stored.path.read_bytes(), stored.read()
    raw = bytearray(whole)
    raw[draw.randrange(len(raw))] ^= draw.choice([1 << draw.randrange(8), draw.randrange(1, 256)])
    try:
        _replace(stored.path, bytes(raw))
        try:
            found = stored.read()
        except LotusError as error:
            said = str(error)
            plain = stored.path.parent.name in said and "expected:" in said and "Traceback" not in said
            return (REFUSED if plain else TRACE), said
        except Exception as error:
            return TRACE, f"{type(error).__name__}: {error}"
        return (EQUAL if found == known else OTHER), str(stored.path)
    finally:
        _replace(stored.path, whole)


def _replace(path: Path, raw: bytes) -> None:
    """Put a file in the place of another, as a new one: files are known by their identity."""
    fresh = path.with_name(".damaged")
    fresh.write_bytes(raw)
    fresh.replace(path)


def run(home: Path, n: int, seed: int) -> dict[str, object]:
    """Damage `n` bytes of a home's files, each kind as often; return counts by kind and outcome, and what failed."""
    draw, counts, failed = random.Random(seed), Counter[str](), list[str]()
    kinds: dict[str, list[Stored]] = {}
    for stored in files_of(home):
        kinds.setdefault(stored.kind, []).append(stored)
    for number in range(n):
        kind = sorted(kinds)[number % len(kinds)]
        outcome, said = damage(draw.choice(kinds[kind]), draw)
        counts[f"{kind}: {outcome}"] += 1
        if outcome in (OTHER, TRACE):
            failed.append(f"{kind}: {outcome}: {said}")
    return {
        "held": not failed,
        "n": n,
        "kinds": sorted(kinds),
        "counts": dict(sorted(counts.items())),
        "failed": failed,
    }


def main() -> None:
    """Damage as many bytes as asked for and print what came of it; exit 1 when one was believed or broke a reader."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--home", type=Path, help="a home of which a copy is damaged")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lotus-hostile-") as folder:
        home = Path(folder) / "home"
        if asked.home is None:
            make_home(home)
        else:
            for name in ("tape", "lake", "learner_state"):
                shutil.copytree(asked.home / name, home / name)
        found = run(home, asked.n, asked.seed)
    print(json.dumps(found, indent=1))
    raise SystemExit(0 if found["held"] else 1)


if __name__ == "__main__":
    main()
