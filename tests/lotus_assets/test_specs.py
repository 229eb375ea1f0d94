"""Specs from the catalogue: every check has its text, and the advisory ones do not block."""

from lotus_assets.catalogue import ADVISORY_CHECKS, ALL_ASSETS
from lotus_assets.specs import CHECK_TEXTS, check_specs, spec_of


def test_every_check_of_the_catalogue_is_explained() -> None:
    assert {name for entry in ALL_ASSETS for name in entry.checks} == set(CHECK_TEXTS)


def test_advisory_checks_block_nothing() -> None:
    specs = [check for entry in ALL_ASSETS for check in check_specs(entry)]
    assert {check.name for check in specs if not check.blocking} == ADVISORY_CHECKS


def test_an_asset_keeps_name_group_and_dependencies() -> None:
    for entry in ALL_ASSETS:
        spec = spec_of(entry)
        assert (spec.key.to_user_string(), spec.group_name) == (entry.name, entry.group)
        assert [dep.asset_key.to_user_string() for dep in spec.deps] == [name for name, _ in entry.deps]
