"""The nightly run makes up for missed nights and is skipped when nothing is due."""

import dagster as dg
import pytest

from lotus_assets.schedules import nightly_request
from lotus_resources.dagster_internals import range_tags


@pytest.mark.parametrize(
    ("committed", "first"), [(None, "2026-01-09"), ("2026-01-08", "2026-01-09"), ("2026-01-05", "2026-01-06")]
)
def test_the_nightly_run_makes_up_for_missed_nights(committed: str | None, first: str) -> None:
    request = nightly_request(committed, "2026-01-09")
    assert isinstance(request, dg.RunRequest)
    assert dict(request.tags) == range_tags(first, "2026-01-09")


def test_the_nightly_run_is_skipped_when_nothing_is_due() -> None:
    assert isinstance(nightly_request("2026-01-09", "2026-01-09"), dg.SkipReason)
