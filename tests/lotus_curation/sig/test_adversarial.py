"""The adversarial curator vetoes who breaks on two of the last three audited days."""

import pytest
from check_curator import honest_facts, vetoed, with_detector

from lotus.curation.sig.adversarial import judge


@pytest.mark.parametrize(
    ("fragilities", "is_vetoed"),
    [((), False), ((0.9,), False), ((0.9, 0.9), True), ((0.9, 0.1, 0.61), True), ((0.9, 0.9, 0.1, 0.1), False),
     ((0.6, 0.6, 0.6), False), ((0.1, 0.9, 0.1), False)],
)  # fmt: skip
def test_two_of_three(fragilities: tuple[float, ...], is_vetoed: bool) -> None:
    found = judge(with_detector(honest_facts(), "range", fragilities=fragilities), 0.15)
    assert vetoed(found) == (["range"] if is_vetoed else [])
