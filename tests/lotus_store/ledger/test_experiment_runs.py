"""A run is there before it begins; refused, failed, killed and lost ones differ, and no result is changed."""

import pytest

from lotus.errors import ConfigError
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.ledger.experiment_runs import (
    ExperimentAsked,
    begin_run_of,
    end_run_of,
    experiment_run,
    experiments_named,
    experiments_run,
)


def test_each_end_is_told_apart(databases: Databases, settings: Settings) -> None:
    asked = ExperimentAsked("what-if", {"without": ["x"]}, "f" * 32, "", {"draw": 7})
    with experiment_run(settings, asked) as metrics:
        metrics["value"] = 1.5
    with pytest.raises(ConfigError), experiment_run(settings, asked):
        raise ConfigError("a day without tape", "a day with tape")
    with pytest.raises(KeyboardInterrupt), experiment_run(settings, asked):
        raise KeyboardInterrupt
    with databases.connect("sig") as sig:
        running = begin_run_of(sig, "main", asked)
        killed = begin_run_of(sig, "main", asked)
    with databases.owner("sig") as owner:
        owner.execute("UPDATE experiment_runs SET started_at = now() - interval '25 hours' WHERE run_id = %s", [killed])
    with databases.connect("sig") as sig:
        rows = experiments_run(sig, "main", "what-if", 10)
        assert sorted(row["status"] for row in rows) == ["failed", "lost", "ok", "refused", "running"]
        (done,) = [row for row in rows if row["status"] == "ok"]
        assert (done["metrics"], done["seeds"], done["fixtures_hash"]) == ({"value": 1.5}, {"draw": 7}, "f" * 32)
        end_run_of(sig, done["run_id"], "failed", {})
        assert experiments_named(sig, "main", done["run_id"][:10])[0]["status"] == "ok", "the first result stays"
        assert experiments_run(sig, "other", None, 10) == []
        assert experiments_named(sig, "main", running)[0]["finished_at"] is None
