"""Commands under limits of the machine in every run of the tests; `faults.py` takes any number."""

import errno
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from lotus_cli.terminal.output import explained

sys.path.insert(0, str(Path(__file__).parent))

from faults import Campaign


@pytest.mark.process("commands by subprocess, each under a limit")
def test_no_limit_of_the_machine_breaks_a_command(tmp_path: Path) -> None:
    campaign = Campaign(tmp_path, 5)
    campaign.run(5)
    assert not campaign.faults, campaign.faults


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EROFS, errno.ENOSPC, errno.ENOMEM, None, "no shared object"])
def test_what_the_machine_refuses_is_said_in_a_sentence(number: int | str | None) -> None:
    @click.command()
    @explained
    def command() -> None:
        if isinstance(number, str):
            raise ImportError(number)
        raise OSError(number, "no", "/home/x") if number is not None else MemoryError

    done = CliRunner().invoke(command)
    assert done.exit_code == 3
    assert "the machine refused" in done.output
