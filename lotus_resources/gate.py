"""Start a program early and let it begin late: `python -m lotus_resources.gate FILE MODULES PROGRAM ARGUMENT ...`.

What a program imports takes seconds and needs nothing of others; what it then does needs what others make ready. So it
imports MODULES (with commas between them) at once, waits until FILE is there, and runs PROGRAM as `python -m` would.
Who writes FILE decides when; nothing is decided here. What is imported is not looked through for cycles of garbage,
neither meanwhile, which takes a tenth of the time, nor at the end, which takes a second.
"""

import atexit
import gc
import importlib
import runpy
import sys
import time
from pathlib import Path

POLL_S = 0.02


def command(gate: Path, modules: tuple[str, ...], program: list[str]) -> list[str]:
    """Return the arguments of `python -m` that run a program behind a gate, its modules imported before."""
    return [__name__, str(gate), ",".join(modules), *program]


def main(gate: str, modules: str, program: str, *arguments: str) -> None:
    """Import, wait and run."""
    atexit.register(gc.freeze)
    gc.disable()
    for module in modules.split(","):
        importlib.import_module(module)
    gc.enable()
    while not Path(gate).exists():
        time.sleep(POLL_S)
    sys.argv = [program, *arguments]
    runpy.run_module(program, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
