"""The commit of an installation: what git says of the checkout, or an honest word where there is none."""

import shutil
import subprocess
from pathlib import Path

import pytest

from lotus_store.build import UNKNOWN, git_sha


def git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.c", *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git on this machine")
def test_a_checkout_tells_its_commit_and_whether_files_differ(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-qm", "one")
    git(tmp_path, "tag", "v1")
    sha = git(tmp_path, "rev-parse", "HEAD")
    assert git_sha(tmp_path) == sha
    (tmp_path / "a").write_text("2")
    git_sha.cache_clear()
    assert git_sha(tmp_path) == f"{sha}-dirty"
    inside = tmp_path / "site-packages"
    inside.mkdir()
    assert git_sha(inside) == UNKNOWN


def test_without_git_the_commit_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git_sha(tmp_path / "installed") == UNKNOWN
    (tmp_path / ".git").mkdir()
    assert git_sha(tmp_path) == UNKNOWN, "a folder that git does not take for a checkout"
    git_sha.cache_clear()
    monkeypatch.setenv("PATH", "")
    assert git_sha(tmp_path) == UNKNOWN
