"""A job that fails is told with what it said."""

import pytest

from lotus.errors import LotusError
from lotus_cli.terminal.progress import Progress
from lotus_cli.upkeep.warm import Left, run_jobs
from lotus_cli.upkeep.warm_jobs import Job


def test_a_job_that_fails_is_told_with_what_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lotus_cli.upkeep.warm_jobs.JOBS", {"nothing": Job(print)})  # which the process does not know
    with pytest.raises(LotusError, match="compiling the kernels of nothing ended with 1, saying: KeyError: 'nothing'"):
        run_jobs(1, Progress(quiet=True), Left())
