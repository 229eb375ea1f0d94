"""The reference page is what the tables say, and everything it shows is true."""

import doctest
import sys
from pathlib import Path

import pytest
from expressions_page import describe, expressions_page

from lotus.tape_machine import checker, parser, printer
from lotus.tape_machine.transforms import TRANSFORMS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "expressions.md"


def test_the_committed_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text("utf-8") == expressions_page(), (
        "python docs/build/expressions_page.py > docs/reference/expressions.md"
    )


def test_the_examples_of_the_page_are_doctests_that_pass() -> None:
    test = doctest.DocTestParser().get_doctest(PAGE.read_text("utf-8"), {"describe": describe}, PAGE.name, str(PAGE), 0)
    assert len(test.examples) == len(TRANSFORMS)
    assert doctest.DocTestRunner(verbose=False).run(test).failed == 0


@pytest.mark.parametrize(
    "module", [checker, parser, printer, sys.modules[describe.__module__]], ids=lambda m: m.__name__
)
def test_the_doctests_of_the_code_pass(module: object) -> None:
    found = doctest.testmod(module)  # type: ignore[arg-type]
    assert found.attempted > 0
    assert found.failed == 0
