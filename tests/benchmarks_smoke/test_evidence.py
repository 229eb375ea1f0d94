"""The rows kept in docs/evidence are what the code says: some of each file are made again and compared."""

import csv
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pace import examples

from benchmarks.lessons.claims import Claim, interval, judge, total
from benchmarks.lessons.evidence import FOLDER, SHARED, Row, Study, append, best_rows, repeated, rows_of, run
from benchmarks.lessons.page import STUDIES, text
from benchmarks.lessons.peer_methods import METHODS
from benchmarks.lessons.peers import STUDIES as PEERS
from benchmarks.lessons.peers import installed
from lotus.hashing import key64

FILES = sorted(FOLDER.glob("*.csv"))
REPEATED, AFFORDABLE_S, QUICK_S, SHARE = 3, 2.0, 0.5, 3
ROUNDED = "peer-policy-tree"  # a peer whose tree turns on the last bits of a processor's linear algebra


def again(study: Study, rows: Sequence[Row]) -> dict[str, str]:
    """Make rows again, whatever code made them; return what differs, by seed."""
    told = {}
    for row in rows:
        made, kept = repeated(study.row(int(row["seed"]))), repeated(row)
        if made != kept:
            differs = [f"{k} is {made.get(k)}, kept {kept.get(k)}" for k in made | kept if made.get(k) != kept.get(k)]
            told[row["seed"]] = f"{', '.join(differs)} (code {row['code']})"
    return told


def cpu_s(name: str) -> float:
    """Return the CPU seconds that a small row of a study took when it was made, 0 where none are kept."""
    return min((float(row["cpu_s"]) for row in rows_of(STUDIES[name].shrunk()) if row.get("cpu_s")), default=0.0)


def is_for_every_run(name: str) -> bool:
    """Tell whether a study is the quickest of its family (the first word of its name), or quick and drawn.

    One of `SHARE` quick ones is drawn by its code and its rows: others when either changes.
    """
    family = [file.stem for file in FILES if file.stem.split("-")[0] == name.split("-")[0]]
    if name == min(family, key=cpu_s):
        return True
    study = STUDIES[name].shrunk()
    drawn = key64(name.encode(), study.code_hash.encode(), (FOLDER / f"{name}.csv").read_bytes()) % SHARE == 0
    return drawn and cpu_s(name) <= QUICK_S


@pytest.mark.evidence("makes rows of small worlds again, some seconds a study")
@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_rows_of_each_file_repeat(file: Path) -> None:
    """One row of the quickest study of each family and of a third of the quick ones; three of every study in the
    campaign `properties`. Make the study of a row that no longer comes out again, or drop the row and say why.
    """
    study = STUDIES[file.stem].shrunk()
    rows = rows_of(study)
    assert rows, f"{file.name} has no rows on small worlds: run it with --small"
    is_campaign = examples(100) > 100
    if not is_campaign and not is_for_every_run(file.stem):
        pytest.skip("not in this run: the campaign `properties` makes them again")
    if file.stem in PEERS and not installed(study.setting.method):
        package = METHODS[study.setting.method].package
        pytest.skip(f"{package} is no part of the environment: pip install {package}, and run this test again")
    if file.stem == ROUNDED:
        assert len(again(study, rows)) <= len(rows) / 2
        return
    many = REPEATED if is_campaign and file.stem not in PEERS else 1
    chosen = random.Random(key64(file.read_bytes())).sample(rows, min(many, len(rows)))
    assert again(study, chosen) == {}, f"{study.name}: rows do not come out again"


@pytest.mark.evidence("makes a row of a full world again")
def test_a_full_row_repeats() -> None:
    chance = random.Random(key64(*(f.read_bytes() for f in FILES)))
    cheap = [STUDIES[f.stem] for f in FILES if STUDIES[f.stem].cost <= AFFORDABLE_S and f.stem not in PEERS]
    study = chance.choice([study for study in cheap if rows_of(study)])
    assert again(study, [chance.choice(rows_of(study))]) == {}, f"{study.name}: a row does not come out again"


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_rows_of_a_seed_agree_whatever_code_made_them(file: Path) -> None:
    """No file keeps a row that a later code has refuted, or one of a setting that nothing makes any more."""
    study = STUDIES[file.stem]
    full, small = rows_of(study), rows_of(study.shrunk())
    with file.open(newline="") as opened:
        assert len(full) + len(small) == sum(1 for _ in csv.DictReader(opened))
    for rows in (full, small):
        first: dict[str, Row] = {}
        for row in rows:
            assert repeated(row) == repeated(first.setdefault(row["seed"], row))


def test_a_row_that_does_not_come_out_again_is_told_with_its_figures(study: Study) -> None:
    row = study.row(5) | {"code": "earlier"}
    assert again(study, [row]) == {}
    assert again(study, [row | {"cpu_s": "9"}]) == {}, "seconds are the machine's"
    assert again(study, [row | {"hit": "7"}]) == {"5": "hit is 1, kept 7 (code earlier)"}


def test_the_page_tells_every_study() -> None:
    page = text()
    assert all(f"`{name}`" in page for name in STUDIES)


def measure(setting: int, seed: int) -> dict[str, float | int | str]:
    """Return figures that follow from setting and seed."""
    return {"hit": seed % setting, "value": seed / 3, "cpu_s": 0.25}


@pytest.fixture
def study() -> Study:
    """Return a study that costs nothing."""
    return Study("toy", 2, measure, (Path(__file__),), small=3)


def test_rows_are_made_once(study: Study, tmp_path: Path) -> None:
    assert run(study, [1, 2, 3], folder=tmp_path) == 3
    assert run(study, [2, 3, 4], folder=tmp_path) == 1
    assert run(study.shrunk(), [1], folder=tmp_path) == 1
    rows = rows_of(study, tmp_path)
    assert [row["seed"] for row in rows] == ["1", "2", "3", "4"]
    assert rows[0]["value"] == "0.333333333"
    assert repeated(rows[0]).keys() == {"setting", "seed", "hit", "value"}


def test_a_torn_last_line_is_made_again(study: Study, tmp_path: Path) -> None:
    run(study, [1, 2], folder=tmp_path)
    file = study.file(tmp_path)
    file.write_text(file.read_text()[:-9])
    assert [row["seed"] for row in rows_of(study, tmp_path)] == ["1"]
    assert run(study, [1, 2], folder=tmp_path) == 1
    with file.open(newline="") as opened:
        assert [row["seed"] for row in csv.DictReader(opened)] == ["1", "2"]


def test_rows_of_an_earlier_code_count_when_they_come_out_again(study: Study, tmp_path: Path) -> None:
    for seed in range(1, 11):
        append(study, study.row(seed) | {"code": "earlier"}, tmp_path)
    assert run(study, range(1, 13), folder=tmp_path) == SHARED + 2
    assert run(study, range(1, 13), folder=tmp_path) == 0
    rows = best_rows(study, tmp_path)
    assert [row["seed"] for row in rows] == [str(seed) for seed in range(1, 13)]
    assert sum(row["code"] == "earlier" for row in rows) == 10 - SHARED


def test_rows_of_an_earlier_code_fall_when_one_comes_out_otherwise(study: Study, tmp_path: Path) -> None:
    for seed in range(1, 11):
        append(study, study.row(seed) | {"code": "earlier", "hit": "7"}, tmp_path)
    assert len(best_rows(study, tmp_path)) == 10
    assert run(study, range(1, 13), folder=tmp_path) == 12
    assert {row["code"] for row in best_rows(study, tmp_path)} == {study.code_hash}


def test_verdicts(study: Study, tmp_path: Path) -> None:
    run(study, range(1, 11), folder=tmp_path)
    found = judge(Claim("toy", "odd", total("hit"), 0.05), study, tmp_path)
    assert (found.hits, found.trials, found.present) == (5, 10, 10)
    assert found.verdict == "**MISSED**, few worlds"
    assert replace(found, worlds=100).verdict == "**MISSED**"
    assert (
        judge(Claim("toy", "odd", total("hit"), 0.3), study, tmp_path).verdict
        == "limit inside the interval, few worlds"
    )
    assert judge(Claim("toy", "odd", total("hit"), 0.5, at_least=True), study, tmp_path).verdict == "met, few worlds"


def test_exact_intervals() -> None:
    """Clopper-Pearson of 5 of 100 as published in tables."""
    low, high = interval(5, 100)
    assert (round(low, 4), round(high, 4)) == (0.0164, 0.1128)
    assert interval(100, 100)[1] == 1.0
