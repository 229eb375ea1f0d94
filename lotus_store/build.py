"""Which release, commit and pinned libraries this installation is; the commit is read once from git, else "unknown".

It goes beside rows as a note for people. It never enters the domain, an identity or a content hash: what was computed
is named by the hash of the sources, and equal results of different commits stay equal.
"""

import hashlib
import subprocess
from functools import cache
from pathlib import Path

import lotus

VERSION = "0.1.0"
UNKNOWN = "unknown"
ROOT = Path(lotus.__file__).resolve().parents[1]
PATIENCE_S = 10.0


@cache
def git_sha(root: Path = ROOT) -> str:
    """Return the commit of the checkout at `root`, "-dirty" behind it when tracked files differ; else "unknown".

    A folder inside somebody else's checkout (an installed package) is unknown, and so is all without a git to ask.
    """
    if not (root / ".git").exists():
        return UNKNOWN
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN
    return result.stdout.strip() or UNKNOWN


@cache
def lock_sha256(root: Path = ROOT) -> str:
    """Return the sha256 of the file that pins the product's libraries, "unknown" where there is no checkout."""
    path = root / "requirements.lock"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else UNKNOWN
