"""Where the program `lotus` begins: Ctrl-C is heard before anything else is imported, and after a command has ended.

Only what a command does can be unwound. Before and after it there is nothing to be put in order, and an exception in
the midst of an import would be told with a traceback. Nor is what was imported looked through for cycles of garbage at
the end, which takes longer than many a command. No command belongs here.
"""

import atexit
import gc

from lotus_cli.terminal.interrupts import end_on_interrupt


def main() -> None:
    """Run `lotus`."""
    end_on_interrupt()
    atexit.register(gc.freeze)
    try:
        from lotus_cli.main import main as lotus
    except ModuleNotFoundError as missing:
        if (missing.name or "lotus").startswith("lotus"):
            raise
        raise SystemExit(
            f"lotus: {missing.name} is not installed; expected: pip install 'lotus-quant[platform]'; "
            "likely cause: the lab alone was installed"
        ) from None
    lotus(prog_name="lotus")
