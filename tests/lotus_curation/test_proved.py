"""What was proved before the release: every shipped version, and none that was edited under its old number."""

from dataclasses import replace

from lotus.curation.proved import is_proved, proved_versions
from lotus.detectors.registry import shipped_detectors

SHIPPED = shipped_detectors()


def test_every_active_detector_is_proved_under_its_own_identity() -> None:
    assert [spec.detector_id for spec in SHIPPED if not is_proved(spec)] == []
    listed = proved_versions()
    assert {
        f"{s.detector_id}@{s.version}": s.spec_id for s in SHIPPED if s.status == "active"
    }.items() <= listed.items()


def test_a_version_that_is_not_listed_or_was_edited_is_not() -> None:
    first = next(spec for spec in SHIPPED if spec.status == "active")
    assert not is_proved(replace(first, version=first.version + 90))
    assert not is_proved(replace(first, horizon_s=first.horizon_s * 2))


def test_an_experimental_one_is_not_asked() -> None:
    first = SHIPPED[0]
    assert is_proved(replace(first, status="experimental", version=first.version + 90))
