"""The benchmark of the decision-maker's night runs, and keeps fewer rows than windows."""

from benchmarks.decision.night import measure


def test_a_small_night_is_measured() -> None:
    found = measure(detectors=2, each=2000, days=3)
    assert found["windows_a_day"] == 4000.0
    assert 0.0 < found["rows_kept_a_day"] < 4000.0
    assert min(found["sums_of_a_day_s"], found["night_s"], found["days_read_again_s"]) >= 0.0
