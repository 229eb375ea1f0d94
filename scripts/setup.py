"""Set up the environment of this checkout: `.venv` from the lock file, the `lotus` command and the kernel cache.

Run by `make` with any Python >= 3.11 and nothing else installed; with `--dev` it adds what tests, lint and docs need.
Safe to run again; works offline once the packages are there. Nothing is installed outside the checkout.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PACKAGES = "packages of the lock file"


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


def packages(lock: str) -> int:
    """Return how many packages a lock file names."""
    return sum(line[:1].isalpha() and "==" in line for line in (ROOT / lock).read_text().splitlines())


def install(*locks: str) -> None:
    """Install what lock files name, without compiling their bytecode: Python does that for what is imported."""
    files = [word for lock in locks for word in ("-r", lock)]
    run(BIN / "uv", "pip", "install", "-q", "--require-hashes", "-p", BIN / "python", *files, why=PACKAGES)


def product() -> None:
    """Create the environment, or finish one that an earlier run left half-made."""
    began = time.monotonic()
    print(f"Setting up Lotus (once): {packages('requirements.lock')} packages are downloaded, {VENV} takes 1.5 GB;")
    print("then every kernel is compiled. About a minute on two quiet cores, beside the download.", flush=True)
    if not (BIN / "python").exists():
        run(sys.executable, "-m", "venv", VENV, why="environment")
    if not (BIN / "uv").exists():
        run(BIN / "pip", "install", "-q", "--require-hashes", "-r", "requirements-bootstrap.lock", why="installer")
    install("requirements.lock")
    editable = ("install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-e", ".")
    run(BIN / "pip", *editable, why="the lotus command")
    run(BIN / "python", "-m", "compileall", "-q", "-j", "0", *sorted(ROOT.glob("lotus*/")), why="its bytecode")
    run(BIN / "lotus", "warm", why="kernel cache", long=True)
    (VENV / "ready").write_text(f"{time.monotonic() - began:.1f}\n", encoding="utf-8")  # the demo's page tells it


def developer() -> None:
    """Add what tests, lint and docs need, and the bytecode of all packages but of their own tests."""
    install("requirements.lock", "requirements-dev.lock")
    compiling = ("-m", "compileall", "-q", "-j", "0", "-x", "/tests?/", VENV / "lib")
    run(BIN / "python", *compiling, why="bytecode")
    (VENV / "dev").touch()


def main() -> None:
    """Set up the product, or with `--dev` what its developers need."""
    if sys.version_info < (3, 11):
        version = sys.version.split()[0]
        raise SystemExit(f"found Python {version}; expected 3.11 or later: make PYTHON=/path/to/python3.11 ...")
    developer() if "--dev" in sys.argv[1:] else product()


if __name__ == "__main__":
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # the warming run imports what the product imports, and keeps it
    main()
