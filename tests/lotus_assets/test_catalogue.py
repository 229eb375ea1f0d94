"""Catalogue and stages agree."""

from lotus_assets.catalogue import ALL_ASSETS, LEARNING_ASSETS, TAPE_ASSETS
from lotus_assets.partitions import EDGES
from lotus_assets.specs import CHECK_TEXTS
from lotus_assets.stages.order import _BY_NAME, LEARNING_STAGES, STAGES, TAPE_STAGES


def test_catalogue_and_stages_agree() -> None:
    assert {entry.name for entry in (*TAPE_ASSETS, *LEARNING_ASSETS)} == set(STAGES) == set(_BY_NAME)
    assert (TAPE_STAGES[0].name, LEARNING_STAGES[-1].name) == ("raw_tape", "window_facts")
    assert {check for entry in ALL_ASSETS for check in entry.checks} == set(CHECK_TEXTS)
    assert {edge for entry in ALL_ASSETS for _, edge in entry.deps} <= set(EDGES)
