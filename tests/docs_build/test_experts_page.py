"""The page of the experts says what the specs say, and there are as many of each kind as the product promises."""

from collections import Counter
from pathlib import Path

from experts_page import experts_page

from lotus.experts.fusion import default_experts

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "experts.md"
RENEW = "python docs/build/experts_page.py > docs/reference/experts.md"


def test_the_page_is_written_from_the_specs() -> None:
    assert PAGE.read_text(encoding="utf-8") == experts_page(), f"renew it: {RENEW}"


def test_every_expert_stands_on_the_page() -> None:
    page = experts_page()
    for spec in default_experts().experts:
        assert f"### {spec.expert_id}\n" in page
        assert spec.idea in page


def test_there_are_enough_experts_of_each_kind() -> None:
    kinds = Counter(spec.kind for spec in default_experts().experts)
    assert sum(kinds.values()) >= 20
    assert kinds["grammar"] >= 8
    assert kinds["divergence"] >= 4
    assert kinds["anomaly"] >= 2
