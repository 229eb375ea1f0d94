"""`python -m lotus_desk.watch`: the watchdog as a process of its own, as the daemon starts it."""

import sys

from lotus.errors import LotusError
from lotus_desk.watch.kept_settings import watched_settings
from lotus_desk.watch.running import run_watchdog


def main() -> int:
    """Watch the home of the environment; return 0, or 3 after an error that is explained."""
    try:
        run_watchdog(watched_settings())
    except LotusError as error:
        print(f"watchdog: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
