"""The page of the terms of a score is the one that its table makes."""

from pathlib import Path

from kernel_terms_page import terms_page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "kernel_terms.md"


def test_the_page_is_the_table() -> None:
    assert PAGE.read_text("utf-8") == terms_page(), (
        "python docs/build/kernel_terms_page.py > docs/reference/kernel_terms.md"
    )
