"""Set up the environment of this checkout: `.venv` from the lock files, the `lotus` command and the kernel cache.

Run by `make setup` with any Python >= 3.11 and nothing else installed. Safe to run again; works offline once the
packages are there. Nothing is installed outside the checkout.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"


def run(*command: str | Path, why: str, long: bool = False) -> None:
    """Run one step with a line of progress, a long one with its own lines too; stop with its output when it fails.

    In a terminal the line counts the seconds.
    """
    started = time.monotonic()
    head, counts = f"  {why} ...", sys.stdout.isatty() and not long
    print(head, end="\n" if long else "", flush=True)
    errors = None if long else subprocess.PIPE
    words = [str(c) for c in command]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=errors, text=True) as step:
        while step.returncode is None:
            try:
                output, errors_text = step.communicate(timeout=1.0)
            except subprocess.TimeoutExpired:
                if counts:
                    print(f"\r{head} {time.monotonic() - started:.0f} s", end="", flush=True)
    if step.returncode != 0:
        print(f" failed\n{output}\n{errors_text or ''}", file=sys.stderr)
        raise SystemExit(step.returncode)
    again = f"  {why}" if long else f"\r{head}" if counts else ""
    print(f"{again} {time.monotonic() - started:.0f} s", flush=True)


def packages() -> int:
    """Return how many packages the lock files name."""
    lines = {line for file in ROOT.glob("requirements*.lock") for line in file.read_text().splitlines()}
    return sum(line[:1].isalpha() and "==" in line for line in lines)


def main() -> None:
    """Create the environment, or finish one that an earlier run left half-made."""
    if sys.version_info < (3, 11):
        version = sys.version.split()[0]
        raise SystemExit(f"found Python {version}; expected 3.11 or later: make PYTHON=/path/to/python3.11 ...")
    began = time.monotonic()
    print(f"Setting up Lotus (once): up to {packages()} packages are downloaded, {ROOT / '.venv'} takes 1.8 GB;")
    print("then every kernel is compiled. One to two minutes on two quiet cores, beside the download.", flush=True)
    if not (BIN / "python").exists():
        run(sys.executable, "-m", "venv", VENV, why="environment")
    locked = ("install", "-q", "--require-hashes")
    if not (BIN / "uv").exists():
        run(BIN / "pip", *locked, "-r", "requirements-bootstrap.lock", why="installer")
    uv = (BIN / "uv", "pip", *locked, "-p", BIN / "python", "--compile-bytecode")
    run(*uv, "-r", "requirements.lock", "-r", "requirements-dev.lock", why="packages of the lock files")
    editable = ("install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
    run(BIN / "pip", *editable, why="the lotus command")
    run(BIN / "lotus", "warm", why="kernel cache", long=True)
    (VENV / "ready").write_text(f"{time.monotonic() - began:.1f}\n", encoding="utf-8")  # the demo's page tells it


if __name__ == "__main__":
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    main()
