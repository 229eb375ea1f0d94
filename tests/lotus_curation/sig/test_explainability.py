"""The explainability curator silences an active version without a proof, and leaves others to their stage."""

import pytest
from check_curator import honest_facts, vetoed, with_detector

from lotus.curation.sig.explainability import judge


@pytest.mark.parametrize(
    ("stage", "is_vetoed"), [("active", True), ("experimental", False), ("deprecated", False), ("archived", False)]
)
def test_an_active_version_needs_every_proof(stage: str, is_vetoed: bool) -> None:
    facts = with_detector(honest_facts(), "basis", stage=stage, missing=("its lineage", "its failure modes"))
    assert vetoed(judge(facts, 0.15)) == (["basis"] if is_vetoed else [])
    assert not judge(with_detector(facts, "basis", missing=()), 0.15)
