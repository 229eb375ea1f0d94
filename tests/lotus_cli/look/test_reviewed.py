"""Acts after 30 days as lines: who was right, by how much, and what is not known."""

from lotus.governance.review_skill import ReviewValue, judged_reviews, review_skills
from lotus.weave.review import ReviewAct
from lotus_cli.look.reviewed import judged_lines, judged_rows


def test_every_act_and_every_reviewer_has_a_line() -> None:
    acts = [
        (ReviewAct("a", "main", "2026-01-01", "approve", "one", "ann"), 0.8),
        (ReviewAct("b", "main", "2026-01-01", "reject", "two", "bob", "other"), None),
        (ReviewAct("c", "main", "2026-01-01", "reject", "three", "bob", "other"), 0.5),
    ]
    values = [ReviewValue("a", f"2026-01-0{k}", 5, 2.0) for k in range(2, 9)] + [ReviewValue("b", "2026-01-02", 5, 3.0)]
    judged = judged_reviews(acts, values, "2026-01-31")
    lines = judged_lines(judged_rows(judged, review_skills(judged, values)))
    assert lines == [
        "  30 days after 2026-01-01: approve one by ann, said 0.80: right, the braid added +14.0 bps (+14.0 to +14.0) "
        "over 35 windows of 7 days",
        "  30 days after 2026-01-01: reject two by bob: wrong, the braid would have added +3.0 bps "
        "over 5 windows of 1 days",
        "  30 days after 2026-01-01: reject three by bob, said 0.50: not known: no window was moved, "
        "the braid would have added +0.0 bps over 0 windows of 0 days",
        "  ann: 1 acts judged, 1 right, 0 not known; Brier score 0.040 over 1 (one half scores 0.25); regret -14.0 bps "
        "(-14.0 to -14.0)",
        "  bob: 2 acts judged, 0 right, 1 not known; no confidence was said; regret +3.0 bps",
    ]
    assert judged_lines(judged_rows([], [])) == []
