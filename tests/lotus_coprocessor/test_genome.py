"""A candidate is read within its bounds, and its file is a detector."""

import pytest

from lotus.coprocessor.genome import free_constants, read, spec_text
from lotus.detectors.spec import parse_spec
from lotus.errors import ConfigError
from lotus.tape_machine.parser import parse


@pytest.mark.parametrize(("text", "found"), [
    ("spread", "in bps"),
    ("imb_5 > 0", "a flag"),
    ("0.5", "a number in 1"),
    ("ema(0.5, 5m)", "a number in 1"),
    ("imb_5 + nothing", "unknown name"),
    ("ema(ema(imb_5, 10m), 10m)", "warm-up"),
    ("where(imb_5 > .1, .2, .3) + where(imb_1 > .4, .5, .6)".replace(" .", " 0.").replace("(.", "(0."), "free const"),
    ("sign(" * 11 + "imb_5" + ")" * 11, "deep"),
])  # fmt: skip
def test_what_is_no_candidate_is_refused(text: str, found: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(parse(text), 300, 5_000)
    assert found in str(refused.value)


def test_another_horizon_is_refused() -> None:
    with pytest.raises(ConfigError, match="horizon"):
        read(parse("imb_5"), 60, 5_000)


def test_the_file_has_the_free_constants_as_parameters_and_the_side_in_front() -> None:
    genome = read(parse("sign(flow) * where(rank(rv, 5m) < 0.2, 1, 0)"), 300, 5_000)
    spec = parse_spec(spec_text(genome, -1, "bred_x", "an idea"), "bred_x.yaml")
    assert [(p.name, p.value, p.unit) for p in spec.params] == [("p1", 5.0, "min"), ("p2", 0.2, "1")]
    assert spec.signal == "-(sign(flow) * where(rank(rv, p1) < p2, 1, 0))"
    assert len(free_constants(genome.tree)) == 2
