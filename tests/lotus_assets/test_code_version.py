"""The code version of an asset changes with the files of its packages and with nothing else."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lotus_assets import code_version as module

version: Callable[..., str] = module.code_version.__wrapped__


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a small source tree that versions are made of."""
    for name in ("base.py", "priors/a.py", "priors/deep/spec.yaml", "weave/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", ["base.py", "priors/a.py", "priors/deep/spec.yaml"])
def test_a_changed_file_changes_the_version(root: Path, name: str) -> None:
    before = version("priors")
    (root / name).write_text("changed")
    assert version("priors") != before


def test_a_renamed_file_changes_the_version(root: Path) -> None:
    before = version("priors")
    (root / "priors/a.py").rename(root / "priors/c.py")
    assert version("priors") != before


def test_other_packages_and_compiled_files_do_not(root: Path) -> None:
    before = version("priors")
    (root / "weave/b.py").write_text("changed")
    (root / "priors/__pycache__").mkdir()
    (root / "priors/__pycache__/a.pyc").write_bytes(b"\0")
    assert version("priors") == before


def test_the_place_of_the_tree_does_not_count(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = version("priors", "weave")
    elsewhere = tmp_path_factory.mktemp("other") / "lotus"
    shutil.copytree(root, elsewhere)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROOT", elsewhere)
        assert version("priors", "weave") == before


def test_a_version_has_128_bits() -> None:
    assert re.fullmatch(r"[0-9a-f]{32}", module.code_version("priors"))
