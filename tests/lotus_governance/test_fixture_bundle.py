"""One hash for a night: it changes with every word that is said, and the first table that differs is named."""

from dataclasses import replace

from lotus.governance.fixture_bundle import BundleTable, FixtureBundle, RawSegment, first_difference

TABLES = (BundleTable("tape.t", "raw_tape", "a" * 32), BundleTable("main", "lessons", "b" * 32))
BUNDLE = FixtureBundle(
    "main", "t", "2026-01-05", "", ("BTC", "ETH"), 7, "m", "c", (RawSegment("000000-0.zst", "f" * 64),), TABLES
)


def test_every_word_is_in_the_hash() -> None:
    others = [
        replace(BUNDLE, branch="other"),
        replace(BUNDLE, tape="u"),
        replace(BUNDLE, day="2026-01-06"),
        replace(BUNDLE, parent="p"),
        replace(BUNDLE, universe=("BTC",)),
        replace(BUNDLE, seed=8),
        replace(BUNDLE, manifest_ver="n"),
        replace(BUNDLE, code_ver="d"),
        replace(BUNDLE, raw=(RawSegment("000000-0.zst", "e" * 64),)),
        replace(BUNDLE, raw=()),
        replace(BUNDLE, tables=TABLES[:1]),
        replace(BUNDLE, tables=TABLES[::-1]),
    ]
    assert len({one.fixtures_hash for one in (BUNDLE, *others)}) == len(others) + 1


def test_the_first_table_that_differs_is_named() -> None:
    assert first_difference(BUNDLE, TABLES) == ""
    other = BundleTable("main", "lessons", "c" * 32)
    assert (
        first_difference(BUNDLE, (TABLES[0], other)) == "lessons[2026-01-05] on main is cccccccccccc, not " + "b" * 12
    )
    assert first_difference(BUNDLE, ()) == "raw_tape[2026-01-05] on tape.t is missing, not " + "a" * 12
