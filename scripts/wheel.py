"""Build the wheel of `pyproject.toml` into `dist/`: `make wheel`.

It is built in a copy of what it holds, so that nothing of an earlier build gets into it and nothing is left in the
checkout. Nothing is downloaded; the same sources give the same bytes.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ("pyproject.toml", "README.md", "LICENSE", "dagster.yaml", "sql")
FIRST_DAY = "315532800"  # 1980-01-01, the first that a zip can hold


def build(out: Path) -> Path:
    """Build the wheel into a folder and return its path; ends the process with pip's words when it cannot be built."""
    with tempfile.TemporaryDirectory(prefix="lotus-wheel-") as scratch:
        copy = Path(scratch) / "lotus"
        copy.mkdir()
        for path in (*(ROOT / name for name in BESIDE), *(p.parent for p in ROOT.glob("lotus*/__init__.py"))):
            if path.is_dir():
                shutil.copytree(path, copy / path.name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, copy)
        made = Path(scratch) / "made"
        words = ["wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w", made, copy]
        done = subprocess.run(
            [sys.executable, "-m", "pip", *map(str, words)],
            env={**os.environ, "SOURCE_DATE_EPOCH": FIRST_DAY, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        (wheel,) = made.glob("*.whl")
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(wheel, out))


if __name__ == "__main__":
    built = build(ROOT / "dist")
    print(f"{built.relative_to(ROOT)}  {built.stat().st_size / 2**20:.1f} MB")
