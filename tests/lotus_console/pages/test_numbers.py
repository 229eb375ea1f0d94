"""Parts of the lake are read once for as long as they are the same."""

from pathlib import Path

import numpy as np

from lotus.microtape.completeness import TAPE_COMPLETENESS
from lotus_console.pages.numbers import part_of_day, share_covered
from lotus_console.reading import HomeReading
from lotus_store.config import Settings
from lotus_store.databases import Databases


def test_a_part_is_read_again_when_its_content_changes(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "home")
    reading = HomeReading(settings, Databases(settings))

    def write(share: float) -> None:
        rows = {c.name: np.full(2, 60, TAPE_COMPLETENESS.numpy_dtype(c.name)) for c in TAPE_COMPLETENESS.columns}
        rows |= {"asset": np.array([0, 1], "i2"), "covered_s": np.array([60.0, 60.0 * share]), "share": np.ones(2)}
        reading.lake.write(TAPE_COMPLETENESS, "tape.live", "2026-01-05", rows)

    assert part_of_day(reading, "tape_completeness", "tape.live", "2026-01-05") == {}
    assert share_covered(reading, "tape.live", "2026-01-05") is None
    write(0.5)
    first = part_of_day(reading, "tape_completeness", "tape.live", "2026-01-05")
    assert first is part_of_day(reading, "tape_completeness", "tape.live", "2026-01-05")
    assert share_covered(reading, "tape.live", "2026-01-05") == 0.75
    write(1.0)
    assert share_covered(reading, "tape.live", "2026-01-05") == 1.0
    for day in ("../../etc", "%2e%2e", "\0"):
        assert part_of_day(reading, "tape_completeness", "tape.live", day) == {}
