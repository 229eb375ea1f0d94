"""`python -m lotus_live [URL]`: the daemon as a process of its own, as the supervisor and the resource start it."""

import sys

from lotus.errors import LotusError
from lotus_live.live import run_live
from lotus_store.config import load_settings


def main(arguments: list[str]) -> int:
    """Run until a signal; return 0, or 3 after an error that is explained."""
    try:
        run_live(load_settings(), arguments[0] if arguments else "")
    except LotusError as error:
        print(f"lotus_live: {error}", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
