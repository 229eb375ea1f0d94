"""Where the program `lotus` begins: Ctrl-C is heard before anything else is imported, and after a command has ended.

Only what a command does can be unwound. Before and after it there is nothing to be put in order, and an exception in
the midst of an import would be told with a traceback. No command belongs here.
"""

from lotus_cli.terminal.interrupts import end_on_interrupt


def main() -> None:
    """Run `lotus`."""
    end_on_interrupt()
    from lotus_cli.main import main as lotus

    lotus(prog_name="lotus")
