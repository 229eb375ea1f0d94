"""The reference page of the lab is the one that its signatures and docstrings make, and names every public name."""

from pathlib import Path

import pytest
from lab_page import lab_page

import lotus_lab as lab

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "lab.md"


def test_the_page_is_that_of_the_docstrings() -> None:
    text = PAGE.read_text("utf-8")
    assert text == lab_page(), "python docs/build/lab_page.py > docs/reference/lab.md"
    assert not [name for name in lab.__all__ if f"\n## {name}\n" not in text]
    assert "(log: str | Path, *, key: str='', floor: float=0.05" in text


@pytest.mark.parametrize("name", lab.__all__)
def test_a_public_name_is_no_module(name: str) -> None:
    """A module of that name would take its place once it is imported."""
    folder = Path(lab.__file__).parent
    assert not (folder / name).exists()
    assert not (folder / f"{name}.py").exists()
    assert callable(getattr(lab, name))
