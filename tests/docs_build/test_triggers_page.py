"""The reference page is what the tables say, and the examples it shows are triggers."""

import doctest
from pathlib import Path

import pytest
from triggers_page import triggers_page

from lotus.triggers import checker, conditions, parser, printer, units

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "triggers.md"


def test_the_committed_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text("utf-8") == triggers_page() + "\n", (
        "python docs/build/triggers_page.py > docs/reference/triggers.md"
    )


@pytest.mark.parametrize("module", [checker, conditions, parser, printer, units], ids=lambda m: m.__name__)
def test_the_doctests_of_the_code_pass(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0
