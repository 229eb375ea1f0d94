"""A late version begins at the first window that nobody scored, with the same braids under another name."""

from hypothesis import given
from hypothesis import strategies as st

from lotus.priors.late import postponed
from lotus.priors.types import priors_version

WINDOW_MS = 5_000


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_nothing_is_scored_again_and_no_unscored_window_is_left_out(effective_ms: int, scored_ms: int) -> None:
    version = priors_version("main", effective_ms)
    late = postponed(version, scored_ms, WINDOW_MS)
    if effective_ms > scored_ms:
        assert late is version
    else:
        assert late.effective_from_ms % WINDOW_MS == 0
        assert scored_ms < late.effective_from_ms <= scored_ms + WINDOW_MS
        assert late.priors_ver != version.priors_ver
        assert postponed(late, scored_ms, WINDOW_MS) is late, "once is enough"
