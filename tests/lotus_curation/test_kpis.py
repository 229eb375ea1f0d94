"""KPIs: what is known has a row with what it rests on, what is not has none."""

import numpy as np
import pytest

from lotus.curation.curator_value import CURATOR_VALUE, Columns
from lotus.curation.kpis import AuditTally, KpiRow, StageChange, in_order, of_acts, of_audits, of_diversity, of_lives


def value_day(*rows: tuple[str, int, float, int, float, int]) -> Columns:
    """Return a day of CURATOR_VALUE."""
    columns = zip(*rows, strict=True) if rows else [()] * 6
    return {
        name: np.array(values, CURATOR_VALUE.numpy_dtype(name))
        for name, values in zip(CURATOR_VALUE.names, columns, strict=True)
    }


def found(rows: list[KpiRow]) -> dict[tuple[str, str], tuple[float, int]]:
    return {(row.curator, row.kpi): (row.value, row.n) for row in rows}


def test_acts_are_worth_what_their_days_sum_to() -> None:
    days = [value_day(("curator:regime", 2, -1.0, 0, 0.0, 0), ("people", 0, 0.0, 3, 6.0, k % 2)) for k in range(6)]
    rows = of_acts([value_day(), *days])
    assert found(rows) == {
        ("regime", "value of nudges, bps"): (-6.0, 12),
        ("people", "mean P of vetoed windows, bps"): (2.0, 18),
        ("people", "days with its veto alone"): (3.0, 7),
    }
    assert next(row.high for row in rows if row.curator == "regime") is not None
    assert of_acts([value_day()]) == []


def test_a_promotion_is_false_when_it_is_taken_back_within_thirty_days() -> None:
    def life(ends: str) -> list[StageChange]:
        born = [StageChange("2026-01-01", "", "experimental"), StageChange("2026-01-11", "experimental", "active")]
        return [*born, *([StageChange(ends, "active", "deprecated")] if ends else [])]

    lives = {"a@1": life("2026-02-01"), "b@1": life("2026-03-01"), "c@1": life("")}
    rows = of_lives(lives, [{"a@1": 0.5, "b@1": None}, {"a@1": 0.4, "b@1": 0.1}], 0.3, "2026-03-02")
    assert found(rows) == {
        ("mutation", "false promotions, share"): (pytest.approx(1 / 3), 3),
        ("mutation", "days above sq_promote, mean"): (1.0, 2),
    }
    young = of_lives({"c@1": life("")}, [], 0.3, "2026-01-20")
    assert young == [], "thirty days are not over, and nothing was scored"


def test_audits_are_split_at_the_first_that_failed() -> None:
    days = [AuditTally(f"2026-01-0{k}", 4, 3 if k == 3 else 4) for k in range(1, 7)]
    rows = found(of_audits({"leakage": days, "adversarial": days[:2]}))
    assert rows["leakage", "audits passed before it acted, share"] == (11 / 12, 12)
    assert rows["leakage", "audits passed after it acted, share"] == (1.0, 12)
    assert rows["adversarial", "audits passed before it acted, share"] == (1.0, 8)
    assert len(rows) == 3
    assert of_audits({}) == []


def test_what_is_not_known_has_no_row_and_the_registry_orders_the_rest() -> None:
    assert of_diversity([]) == of_diversity([float("nan")]) == []
    (row,) = of_diversity([2.0, 3.5, float("nan")])
    assert (row.value, row.n) == (3.5, 2)
    others = [KpiRow("tr", "risk", "k", 1.0, None, None, 1), KpiRow("sig", "people", "k", 1.0, None, None, 1), row]
    assert [r.curator for r in in_order(others)] == ["diversity", "people", "risk"]
