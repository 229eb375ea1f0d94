"""Rows of long studies: one per seed, setting and code, kept in small CSV files, made once and never changed.

A study is a function from a seed to plain figures. A row is appended in one write when its world is finished, so a run
may be killed at any time and goes on where it stopped. What a row means and how it is judged is `claims`; the worlds
are elsewhere. In the literature: a Monte Carlo study with common random numbers.
"""

import csv
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from functools import cache
from multiprocessing import Pool
from pathlib import Path
from typing import Any

from lotus.hashing import natural_id

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "evidence"
KEYS = ("setting", "seed", "code")
UNREPEATED = ("_s", "_mb", "_gap")  # endings of columns that depend on the machine
SHARED = 3  # rows of an earlier code that must come out again before its others count
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Study:
    """A named experiment: `setting` (frozen, printable) is everything but the seed; `sources` are the files it is in.

    `small` is the setting on small worlds whose rows lie in the same file and can be repeated in a moment; `cost` is
    about how many CPU seconds a row takes.
    """

    name: str
    setting: Any
    measure: Callable[[Any, int], Mapping[str, float | int | str]]
    sources: tuple[Path, ...]
    small: Any
    cost: float = 1.0

    @property
    def setting_hash(self) -> str:
        """Return twelve characters that name the setting."""
        return natural_id(printed(self.setting))[:12]

    @property
    def code_hash(self) -> str:
        """Return twelve characters that name the sources behind a row: learner, vocabulary, generator, benchmark."""
        return code_of(self.sources)

    def shrunk(self) -> "Study":
        """Return the study on small worlds."""
        return replace(self, setting=self.small)

    def file(self, folder: Path = FOLDER) -> Path:
        """Return where the rows lie."""
        return folder / f"{self.name}.csv"

    def content(self, row: Mapping[str, str]) -> str:
        """Return the hash of what a second run must repeat of a row."""
        return natural_id(*(word for item in sorted(repeated(row).items()) for word in item))

    def row(self, seed: int) -> Row:
        """Make one row, as text."""
        figures = {name: as_text(value) for name, value in self.measure(self.setting, seed).items()}
        return {"setting": self.setting_hash, "seed": str(seed), "code": self.code_hash} | figures


def printed(setting: Any) -> str:
    """Return a setting as text: of a dataclass the fields that are not their default, so a new key changes nothing.

    >>> from lotus.manifest import LearningDefaults
    >>> printed(LearningDefaults(alpha=0.05))
    'LearningDefaults(alpha=0.05)'
    """
    if not is_dataclass(setting):
        return repr(setting)
    told = []
    for one in fields(setting):
        value = getattr(setting, one.name)
        usual = one.default_factory() if one.default_factory is not MISSING else one.default
        if usual is MISSING or value != usual:
            told.append(f"{one.name}={printed(value)}")
    return f"{type(setting).__name__}({', '.join(told)})"


Maker = Callable[[Study, Sequence[int]], Iterator[Row]]


@cache
def code_of(sources: tuple[Path, ...]) -> str:
    """Return the hash of the learner's, the vocabulary's and the generator's sources and of a study's own files."""
    files = sorted((ROOT / "lotus" / "learning").glob("*.py"))
    files += [ROOT / "lotus" / "priors" / "vocabulary.py", ROOT / "lotus" / "simulation" / "learning_world.py"]
    parts = [part for file in [*files, *sources] for part in (file.name, file.read_bytes())]
    return natural_id(*parts)[:12]


def as_text(value: float | int | str) -> str:
    """Return a figure as it stands in a file: floats with nine significant digits."""
    return f"{value:.9g}" if isinstance(value, float) else str(value)


def rows_of(study: Study, folder: Path = FOLDER) -> list[Row]:
    """Return the rows of a study's present setting, whatever code made them; a torn last line is left out."""
    file = study.file(folder)
    if not file.exists():
        return []
    whole = file.read_text()
    whole = whole[: whole.rfind("\n") + 1]
    return [row for row in csv.DictReader(io.StringIO(whole)) if row["setting"] == study.setting_hash]


def best_rows(study: Study, folder: Path = FOLDER) -> list[Row]:
    """Return the rows that count, one per seed: those of the present code and of every code that agrees with it.

    A code agrees when `SHARED` or more of its rows were made again and none came out otherwise. Without rows of the
    present code, the code that made most of them takes its place.
    """
    rows = rows_of(study, folder)
    by_code: dict[str, dict[str, Row]] = {}
    for row in rows:
        by_code.setdefault(row["code"], {})[row["seed"]] = row
    if not by_code:
        return []
    base = study.code_hash if study.code_hash in by_code else max(by_code, key=lambda code: len(by_code[code]))
    counted = dict(by_code.pop(base))
    for older in reversed(by_code.values()):
        shared = older.keys() & counted.keys()
        same = all(repeated(older[seed]) == repeated(counted[seed]) for seed in shared)
        if same and len(shared) >= min(SHARED, len(older)):
            counted = older | counted
    return sorted(counted.values(), key=lambda row: int(row["seed"]))


def append(study: Study, row: Row, folder: Path = FOLDER) -> None:
    """Add one row with a single write, in the order of the file's columns; mends a torn last line first."""
    file = study.file(folder)
    file.parent.mkdir(parents=True, exist_ok=True)
    text = file.read_text() if file.exists() else ""
    if not text.endswith("\n") and text:
        file.write_text(text[: text.rfind("\n") + 1])
    out = io.StringIO()
    names = next(csv.reader(io.StringIO(text)), list(row))
    writer = csv.DictWriter(out, names, lineterminator="\n")
    if not text.strip():
        writer.writeheader()
    writer.writerow(row)
    handle = os.open(file, os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o644)
    try:
        os.write(handle, out.getvalue().encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def by_processes(workers: int) -> Maker:
    """Return what makes rows here, with more than one worker in processes of their own and as they come."""

    def made(study: Study, seeds: Sequence[int]) -> Iterator[Row]:
        if workers <= 1:
            yield from map(study.row, seeds)
            return
        with Pool(workers) as pool:
            yield from pool.imap_unordered(study.row, seeds)

    return made


def run(study: Study, seeds: Sequence[int], made: Maker | None = None, folder: Path = FOLDER) -> int:
    """Have the rows made that are missing and return how many were.

    Rows of an earlier code are first tried: `SHARED` of them are made again, and when they agree the others stand.
    """
    made = made or by_processes(1)
    missing = missing_of(study, seeds, folder)
    tried = missing[: max(0, SHARED - (len(seeds) - len(missing)))] if rows_of(study, folder) else []
    for row in made(study, tried):
        append(study, row, folder)
    standing = {int(row["seed"]) for row in best_rows(study, folder)}
    rest = [seed for seed in missing if seed not in standing]
    for row in made(study, rest):
        append(study, row, folder)
    return len(tried) + len(rest)


def repeated(row: Mapping[str, str]) -> Row:
    """Return the columns of a row that a second run must repeat to the letter."""
    return {name: value for name, value in row.items() if name != "code" and not name.endswith(UNREPEATED)}


def missing_of(study: Study, seeds: Sequence[int], folder: Path = FOLDER) -> list[int]:
    """Return the seeds without a row of the present setting and code."""
    known = {int(row["seed"]) for row in rows_of(study, folder) if row["code"] == study.code_hash}
    return [seed for seed in seeds if seed not in known]
