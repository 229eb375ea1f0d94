"""A program behind a gate has imported before the gate opens, and runs after it as `python -m` would run it."""

import subprocess
import sys
from pathlib import Path

import pytest

from lotus_resources.gate import command

PROGRAM = "import sys, imported; print(sys.argv[1:], __name__, sys.modules['imported'].AT_GATE)"
IMPORTED = "from pathlib import Path; AT_GATE = Path({gate!r}).exists(); Path({done!r}).touch()"


@pytest.mark.process("a program behind a gate")
@pytest.mark.timeout(60)
def test_it_imports_before_the_gate_opens_and_runs_after(tmp_path: Path) -> None:
    gate, done = tmp_path / "gate", tmp_path / "done"
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "imported.py").write_text(IMPORTED.format(gate=str(gate), done=str(done)))
    words = [sys.executable, "-m", *command(gate, ("imported",), ["program", "--port", "0"])]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as waiting:
        while not done.exists():
            assert waiting.poll() is None
        gate.touch()
        output, _ = waiting.communicate()
    assert output.split(" ", 2) == ["['--port',", "'0']", "__main__ False\n"]
