"""What a composition of braids inherits."""

from weave_boards import NIGHT_MS, WEAVE, A, B, braid

from lotus.weave.composition import Parts
from lotus.weave.meta import MetaCandidate, meta_braid


def test_a_meta_braid_has_the_scope_of_its_parents() -> None:
    parents = [braid("x", scope="tr"), braid("y", B, scope="tr")]
    parts = Parts((A, B), (0.4, 0.4), (0.5, 0.5))
    days = tuple(f"2026-01-{d}" for d in range(10, 25))
    gain = (3.0,) * 14 + (2.0,)
    found = MetaCandidate("c", "d", "UNION", ("x", "y"), parts, 0.2, "2026-01-09", 1, days, gain, (1.0,) * 15)
    assert meta_braid(found, parents, NIGHT_MS, WEAVE).scope == "tr"
