"""Build the environments of other people's bots from their locks, then run the tests that need them: `make bots`.

`python tests/bots/environments.py [--build]`. Each environment is one of `.venv-bots/NAME`, made of `NAME.lock` by
hashes, beside which the lock is kept; one that stands for another lock is made anew.
"""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "support"))
from bot_worlds import BOTS, ENVIRONMENTS, lock_of, stands  # noqa: E402

UV = ROOT / ".venv" / "bin" / "uv"


def build(bot: str) -> None:
    """Make the environment of a bot unless it stands."""
    if stands(bot):
        return
    place = ENVIRONMENTS / bot
    subprocess.run([UV, "venv", "-q", "--clear", "-p", sys.executable, place], check=True)
    python = place / "bin" / "python"
    subprocess.run([UV, "pip", "install", "-q", "--require-hashes", "-p", python, "-r", lock_of(bot)], check=True)
    subprocess.run([python, "-m", "compileall", "-q", "-j", "2", place / "lib"], check=False, stdout=subprocess.DEVNULL)
    shutil.copy(lock_of(bot), place / "lock")


def main() -> int:
    """Build all, and run the tests unless only that was asked."""
    for bot in BOTS:
        build(bot)
    if "--build" in sys.argv[1:]:
        return 0
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--durations=5", "tests/bots"]
    return subprocess.run(command, cwd=ROOT).returncode


if __name__ == "__main__":
    raise SystemExit(main())
