"""What could be seen shrinks with more days."""

from own_world import own_world
from told_studies import told


def test_what_could_be_seen_shrinks_with_more_days():
    short, long = (told(own_world(seed=60, n=150, days=d))["detectable"][0] for d in (14, 56))
    one, four = (x["uplift_bps"]["1"][1] for x in (short, long))
    assert 1.3 < one / four < 3.2  # four times the weight: about half, the bar moves a little
    assert long["uplift_bps"]["3"][0] > long["uplift_bps"]["1"][0] > long["uplift_bps"]["1"][2]
