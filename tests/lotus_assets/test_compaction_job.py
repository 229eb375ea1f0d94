"""The weekly job compacts what is committed."""

import json
from datetime import date, timedelta

from click.testing import CliRunner

from lotus.learning.cube import LESSON_ATOMS
from lotus_assets.compaction_job import compact_atoms
from lotus_cli.look.atoms import atoms_command
from lotus_resources.lotus_resource import Lotus
from lotus_store.atom_sums import DAILY
from lotus_store.ledger.day_commits import DayCommit, commit_day

from .day_atoms import atoms

START = date(2024, 1, 1)  # a Monday


def test_the_weekly_job_compacts_what_is_committed(lotus: Lotus) -> None:
    keep = lotus.settings.manifest.learning.search_days
    days = [(START + timedelta(k)).isoformat() for k in range(keep + 2)]
    with lotus.databases.connect("sig") as sig:
        for day in days:
            lotus.lake.write(LESSON_ATOMS, "main", day, atoms(day))
            commit_day(sig, DayCommit("main", day, LESSON_ATOMS.name, "h" * 32, 1, "i"))
    assert compact_atoms.execute_in_process(resources={"lotus": lotus}).success
    assert lotus.lake.days(DAILY.name, "main") == days[:2]
    assert lotus.lake.days(LESSON_ATOMS.name, "main") == days[2:]
    done = CliRunner().invoke(atoms_command, ["compact", "--home", str(lotus.settings.home), "--json"])
    assert json.loads(done.stdout)["days"] == []
