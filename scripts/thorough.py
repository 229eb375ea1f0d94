"""Run the campaigns of `docs/campaigns.md` in turn and note there when each ran, on which code, and how it ended.

`make thorough`, or `.venv/bin/python scripts/thorough.py NAME ...` for some. The page is the list: a row names a
campaign, what it shows and the command after `python`. A campaign that fails does not stop the others; the exit code is
then 1. What a campaign does stands in its own file.
"""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "campaigns.md"
PYTHON = str(ROOT / ".venv" / "bin" / "python")
ROW = re.compile(r"^\| `(?P<name>[a-z-]+)` \| (?P<shows>.+?) \| `(?P<command>.+?)` \| (?P<ran>.*?) \|$", re.MULTILINE)


def campaigns(page: str) -> dict[str, str]:
    """Return the commands of the page by name."""
    return {row["name"]: row["command"] for row in ROW.finditer(page)}


def noted(page: str, name: str, ran: str) -> str:
    """Return the page with another last cell in the row of a campaign."""
    row = next(row for row in ROW.finditer(page) if row["name"] == name)
    return page[: row.start("ran")] + ran + page[row.end("ran") :]


def code() -> str:
    """Return the commit of the checkout, with a + when files other than the page differ from it."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    others = ["git", "diff", "--quiet", "HEAD", "--", ".", f":!{PAGE.relative_to(ROOT)}"]
    return f"`{commit.stdout.strip()}`" + "+" * subprocess.run(others, cwd=ROOT).returncode


def run(name: str, command: str) -> bool:
    """Run one campaign and note it; tell whether it held."""
    print(f"{name}: python {command}", flush=True)
    began = time.monotonic()
    held = subprocess.run([PYTHON, *shlex.split(command)], cwd=ROOT).returncode == 0
    minutes = (time.monotonic() - began) / 60
    ran = f"{time.strftime('%Y-%m-%d')}, {code()}, {minutes:.0f} min: {'held' if held else 'FAILED'}"
    PAGE.write_text(noted(PAGE.read_text(), name, ran))
    return held


def main() -> None:
    """Run the named campaigns, all of them without names."""
    listed = campaigns(PAGE.read_text())
    names = sys.argv[1:] or list(listed)
    if unknown := [name for name in names if name not in listed]:
        raise SystemExit(f"found {' '.join(unknown)}; expected names of {PAGE.name}: {' '.join(listed)}")
    failed = [name for name in names if not run(name, listed[name])]
    print(f"{len(names) - len(failed)} passed, {len(failed)} failed")
    raise SystemExit(f"failed: {' '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
