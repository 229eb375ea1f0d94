"""Gates and compositions: what they say, window by window, within the bounds of a candidate and each once."""

import numpy as np

from lotus.coprocessor.challengers.pool import AND, MEAN, WHILE, Parent, compositions, feature_flags, gates
from lotus.coprocessor.genome import MAX_PARAMS, Genome, free_constants, read, spec_text
from lotus.coprocessor.scoring import run
from lotus.detectors.spec import parse_spec
from lotus.tape_machine.parser import parse
from tests.lotus_coprocessor.breeding_bed import small_panel

STEP = 5_000


def parent(text: str, side: int = 1, horizon_s: int = 30) -> Parent:
    """A parent named by its text."""
    return Parent(text, read(parse(text), horizon_s, STEP), side)


ONE, OTHER, THIRD = parent("imb_10"), parent("sign(flow)", -1), parent("imb_5")
FAR = parent("sign(basis)", 1, 300)


def said(*genomes: Genome) -> list[np.ndarray]:  # type: ignore[type-arg]
    """What candidates say on the windows of a small panel."""
    parts: list[np.ndarray] = []  # type: ignore[type-arg]
    run([g.node for g in genomes], small_panel(days=2, windows=400), lambda first, day, values: parts.append(values))
    return list(np.concatenate(parts).T)


def test_compositions_say_what_their_names_mean_in_the_direction_in_which_each_pays() -> None:
    made = {(one.operator, one.parents): one.genome for one in compositions([ONE, OTHER, THIRD, FAR], STEP)}
    names = [p.name for p in (ONE, OTHER, THIRD)]
    assert not any(FAR.name in parents for _, parents in made)  # of another horizon
    a, b, c = said(ONE.genome, OTHER.genome, THIRD.genome)
    b = OTHER.side * b
    both, during, mean, three = said(
        made[AND, (names[0], names[1])], made[WHILE, (names[0], names[1])], made[MEAN, (names[0], names[1])],
        made[MEAN, tuple(names)],
    )  # fmt: skip
    assert np.array_equal(both, np.where(a * b > 0.0, a, 0.0))
    assert np.array_equal(during, np.where(b != 0.0, a, 0.0))
    assert np.allclose(mean, (a + b) / 2.0)
    assert np.allclose(three, (a + b + c) / 3.0)


def test_gates_let_their_parent_through_and_stay_within_the_bounds() -> None:
    flags = feature_flags(["vol", "spread", "flow"])
    assert len(flags) == 4
    full = parent("where(imb_10 > 0.2 and imb_5 > 0.3 and imb_1 > 0.1, 1, 0)")
    made = gates([OTHER, full, OTHER], flags, STEP)
    assert {one.parents for one in made} == {(OTHER.name,)}  # the other would have too many constants
    assert len(made) == len(flags)
    for one in made:
        assert len(free_constants(one.genome.tree)) <= MAX_PARAMS
        assert (one.parent, flags[one.flag]) == (0, one.genome.tree.arguments[0])  # type: ignore[union-attr]
        spec = parse_spec(spec_text(one.genome, 1, "gate_x", "test"), "gate_x")
        assert spec.horizon_s == 30
    plain, gated = said(OTHER.genome, made[0].genome)
    assert set(np.unique(gated[gated != 0.0] / -plain[gated != 0.0])) == {1.0}
    assert 0.1 < np.mean(gated != 0.0) < 0.6
