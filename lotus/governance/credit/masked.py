"""Stored windows scored again with other voters among the micro-experts: evidence, score and propensity.

Evidence is e(S) = K(logistic(sum over S of w_k z_k)) on the signal's side, K the calibration in force, nulls 0. With a
and beta of the score, ln sigma moves by (1 - share)[a ln((1 - theta(e')) / (1 - theta(e))) + ln((1 + beta (2e' - 1)) /
(1 + beta (2e - 1)))], theta(e) = max(0, theta_0 - gamma e). What braids did to a window is held. Where a detector asks
for confirmation, sum over S of a_k f_k >= m decides whether it may be published. No tables are read here.
"""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.curation.value import MOVED_COLUMNS, Redrawn, gained, propensity_without_veto
from lotus.detectors.scoring.signal_spec import NO_CONFIRMATION
from lotus.errors import SchemaError
from lotus.experts.fusion import ExpertSet, Knots
from lotus.manifest import ScoreDefaults

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[np.generic]]
EVENT_COLUMNS = (*MOVED_COLUMNS, "u", "s", "published", "kr_theta", "mx_evidence")  # of SIGNAL_EVENTS


@dataclass(frozen=True, slots=True)
class Ballot:
    """What experts may say, in the order of the set: weights and votes as if all of them spoke, and who does.

    `needed` votes confirm; `knots` calibrate the evidence.
    """

    names: tuple[str, ...]
    weights: tuple[float, ...]
    votes: tuple[float, ...]
    speaks: tuple[bool, ...]
    needed: float
    knots: Knots

    @classmethod
    def of(cls, experts: ExpertSet) -> "Ballot":
        """Return the ballot of a set of experts."""
        voices, fusion = experts.fusion.voices, experts.fusion
        return cls(
            names=experts.names,
            weights=tuple(v.weight for v in voices.values()),
            votes=tuple(v.vote for v in voices.values()),
            speaks=tuple(v.status == "active" for v in voices.values()),
            needed=fusion.votes_needed,
            knots=fusion.evidence,
        )

    def evidence(self, llr: Floats) -> Floats:
        """Return the calibrated probability of up of sums of weighted z."""
        raw = 1.0 / (1.0 + np.exp(-np.clip(llr, -700.0, 700.0)))
        if not self.knots:
            return np.asarray(raw, np.float64)
        xs, ys = np.array(self.knots).T
        return np.asarray(np.interp(raw, xs, ys), np.float64)


class VotedWindows:
    """Windows of one set of experts whose payoff P is known, ready to be scored with any voters.

    `events`: `EVENT_COLUMNS` [n]; `z` f8[n, experts] and `fired` u8[n] at their closes; `asks` bool[n]: the detector
    asks for confirmation; `paper` and `executed`: P and Y in bps (NaN = none).
    """

    def __init__(
        self, events: Columns, z: Floats, fired: NDArray[np.uint64], asks: NDArray[np.bool_], paper: Floats,
        executed: Floats, ballot: Ballot, score: ScoreDefaults,
    ) -> None:  # fmt: skip
        """Take the windows; raises `SchemaError` for z of another number of experts."""
        if z.shape != (len(paper), len(ballot.names)):
            raise SchemaError(f"z of {z.shape}", f"({len(paper)}, {len(ballot.names)})", "another set of experts")
        self.ballot, self._score, self._asks = ballot, score, asks
        self._paper, self._executed = paper, executed
        self.published = np.asarray(events["published"], np.bool_)
        self._side = np.where(np.asarray(events["s"], np.float64) < 0.0, -1.0, 1.0)
        self._theta0 = np.asarray(events["kr_theta"], np.float64)
        self._logged_evidence = np.asarray(events["mx_evidence"], np.float64)
        self.pi = np.asarray(events["pi"], np.float64)
        unconfirmed = np.asarray(events["veto"], np.int64) == NO_CONFIRMATION
        base = np.where(unconfirmed, propensity_without_veto(events), self.pi) if unconfirmed.any() else self.pi
        self._redrawn = Redrawn({**events, "pi": base}, score.epsilon)
        self._ln_sigma = np.asarray(events["ln_sigma_tilde"], np.float64)
        self._parts = np.where(np.isfinite(z), z, 0.0) * np.array(ballot.weights)
        bits = (fired[:, None] >> np.arange(len(ballot.names), dtype=np.uint64)) & np.uint64(1)
        self._votes = bits.astype(np.float64) * np.array(ballot.votes)

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.pi)

    def taken(self, rows: NDArray[np.generic]) -> "VotedWindows":
        """Return some of the windows, by a mask or places."""
        out = copy(self)
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray | Redrawn):
                setattr(out, name, value.taken(rows) if isinstance(value, Redrawn) else value[rows])
        return out

    def part(self, expert: int) -> tuple[Floats, Floats]:
        """Return what one expert adds to the sum of evidence and to the votes, f8[n] each."""
        return self._parts[:, expert], self._votes[:, expert]

    def sums(self, voters: Sequence[bool]) -> tuple[Floats, Floats]:
        """Return llr and votes f8[n] of a set of voters, in the order of the experts."""
        chosen = np.array(voters, np.float64)
        return self._parts @ chosen, self._votes @ chosen

    def change(self, llr: Floats) -> Floats:
        """Return how far ln sigma moves f8[n] when the evidence sums to `llr`; 0 where evidence is null."""
        up = self.ballot.evidence(llr)
        new, old, score = np.where(self._side < 0.0, 1.0 - up, up), self._logged_evidence, self._score
        theta, was = (np.maximum(0.0, self._theta0 - score.gamma_mx * e) for e in (new, old))
        lift = np.log1p(score.beta_mx * (2.0 * new - 1.0)) - np.log1p(score.beta_mx * (2.0 * old - 1.0))
        moved = (1.0 - score.sq_share) * (score.penalty_a * (np.log1p(-theta) - np.log1p(-was)) + lift)
        return np.where(np.isfinite(moved) & (np.abs(new - old) > 1e-12), moved, 0.0)

    def propensity(self, llr: Floats, votes: Floats) -> Floats:
        """Return pi f8[n] of the windows under these sums."""
        drawn = self._redrawn.moved(self.change(llr))
        return np.where(self._asks & (votes < self.ballot.needed), 0.0, drawn)

    def sigma_step(self, llr: Floats) -> Floats:
        """Return Sigma as logged less Sigma under `llr`, f8[n]."""
        return np.exp(self._ln_sigma) - np.exp(self._ln_sigma + self.change(llr))

    def gained(self, pi: Floats, other: Floats) -> Floats:
        """Return (pi - other)[P + (A/p)(Y - P)] in bps, p the logged propensity; P alone where nothing was drawn."""
        surprise = gained(self.pi, np.zeros(len(self)), self.published, self._paper, self._executed)
        worth = np.divide(surprise, self.pi, out=self._paper.copy(), where=self.pi > 0.0)
        return np.asarray((pi - other) * worth)
