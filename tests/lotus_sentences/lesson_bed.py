"""A lesson for tests of sentences."""

from lotus.learning.lesson import Lesson
from lotus.priors.types import Literal, Rule

LESSON = Lesson(
    lesson_id="l", branch="main", night="2026-01-17", detector_id="sweep_stall_reversal", horizon_s=30,
    rule=Rule.of(Literal(3, 3, 4), Literal(0, 1, 2)), sign=1, uplift_bps=10.114, se_bps=0.2, ci95=(9.62, 10.61),
    lcb_bps=8.2, claim_bps=9.0, net_mean_bps=1.0, net_low_bps=0.0, net_high_bps=2.0, sigma_y_bps=5.0, m_nats=12.34,
    t_stat=5.0, recent_t=2.0, critical=9.87, n_windows=2000, n_published=1234, ess=100.0, n_days=13, n_blocks=52,
    n_eff_days=10.0, coverage=0.2, fill_share=1.0, trials=73563, grade="B", state="IDENTIFIED",
)  # fmt: skip
