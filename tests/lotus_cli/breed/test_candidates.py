"""What `lotus candidates show` says of a candidate."""

from lotus_cli.breed.candidates import _page, _way
from tests.lotus_cli.breed.bred_row import ROW


def test_a_candidate_shows_the_way_to_it_and_the_attacks_on_it() -> None:
    steps = [
        {"parent_id": "found", "candidate_id": "abcdef0123456789", "kind": "ablation", "taken": True},
        {"parent_id": "found", "candidate_id": "other", "kind": "ablation", "taken": False},
        {"parent_id": "abcdef0123456789", "candidate_id": "late", "kind": "attack", "taken": False},
        {"parent_id": "elsewhere", "candidate_id": "x", "kind": "attack", "taken": False},
    ]
    way = [s | {"t_before": 2.5, "t_after": 2.0, "expression": "flow"} for s in _way(steps, "abcdef0123456789")]
    assert {s["candidate_id"] for s in way} == {"abcdef0123456789", "other", "late"}
    opinion = {"author": "ada", "origin": "person", "at": "2026-01-20T10:00:00+00:00", "text": "too simple"}
    trial = {"number": 12, "origin": "breed", "operator": "grow", "knows_until": ""}
    day = {"day": "2026-01-22", "gain_bps": 3.25, "weight": 40.0, "spoken": 51, "e": 1.25, "state": "shadow"}
    step = {"day": "2026-02-20", "step": "settled", "reason": "24 forward days, 3 bps; 6 audits pass"}
    page = _page(ROW | {"trial": trial, "steps": way, "attachments": [opinion], "forward": [day], "life": [step]})
    assert "2026-02-20 settled: 24 forward days" in page
    assert "ada (person, 2026-01-20): too simple" in page
    assert "it can never settle" in page
    assert "2026-01-22" in page
    assert "E 4,000 is asked for" in page
    assert "charged as number 12" in page
    assert "detector_id: bred_abcdef012345" in page
