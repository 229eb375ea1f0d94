"""A wheel of this checkout in an environment of its own, and the README's lines of the lab run in it.

Nothing of the checkout is seen there: another folder, another home, no PYTHONPATH. Folders have a space in their name.
"""

import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")


def readme_lines() -> str:
    """Return the Python that the README shows of the lab."""
    found = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
    assert len(found) == 1, "one block of Python stands in the README"
    return str(found[0])


@dataclass(frozen=True)
class Environment:
    """An environment below `folder`: its Python, an empty home, a folder to work in."""

    folder: Path

    @classmethod
    def new(cls, folder: Path) -> "Environment":
        """Make an environment in which there is nothing, not even pip."""
        made = cls(folder)
        venv.create(folder / "an env", symlinks=True, with_pip=False)
        for path in (made.work, made.home):
            path.mkdir()
        return made

    @property
    def bin(self) -> Path:
        """Folder of its programs."""
        return self.folder / "an env" / "bin"

    @property
    def packages(self) -> Path:
        """Folder of its packages."""
        return self.folder / "an env" / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"

    @property
    def work(self) -> Path:
        """Folder that programs run in."""
        return self.folder / "some work"

    @property
    def home(self) -> Path:
        """Folder of the user."""
        return self.folder / "a user"

    def install(self, *words: str) -> None:
        """Install into it with pip; raises where pip fails."""
        subprocess.run([*PIP, "--python", str(self.bin / "python"), "install", *words], check=True, timeout=1800)

    def run(self, *words: str, **more: str) -> "subprocess.CompletedProcess[str]":
        """Run a program of it in its folder with an environment of its own."""
        given: Mapping[str, str] = {"PATH": os.defpath, "HOME": str(self.home), **more}
        command = [str(self.bin / words[0]), *words[1:]]
        return subprocess.run(command, cwd=self.work, env=given, capture_output=True, text=True, timeout=600)

    def python(self, code: str, **more: str) -> str:
        """Return what Python code prints; raises with its errors where it fails."""
        done = self.run("python", "-c", code, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout
