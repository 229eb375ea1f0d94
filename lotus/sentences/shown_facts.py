"""Facts of a lesson or a candidate as they are shown: numbers and names as texts, and the template's sentence.

A sentence may repeat these texts and nothing else that is a number or a name (`sentence_check`). Nothing is computed
here. In the literature: template generation, with the data record as the only source (data-to-text).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lotus.hashing import natural_id
from lotus.learning.lesson import Lesson
from lotus.priors.asset_context import describe_with
from lotus.priors.vocabulary import Vocabulary

LONGEST = 600  # characters of a sentence
VERDICTS = {"IDENTIFIED": "accepted", "MODEL_ONLY": "proposed", "REFUSED": "refused"}
VERBS = {"accepted": "pays", "proposed": "may pay", "refused": "was not shown to pay"}


@dataclass(frozen=True, slots=True)
class ShownFacts:
    """What is shown of one subject: `values` by name in order.

    `direction`: whether the effect is up (1), down (-1) or none; `is_claimed`: whether it may be said to be so.
    """

    subject: str
    values: tuple[tuple[str, str], ...]
    direction: int = 0
    is_claimed: bool = True

    @property
    def facts_hash(self) -> str:
        """Return the hash of everything that is shown."""
        return natural_id("shown", self.subject, *(word for pair in self.values for word in pair))

    def __getitem__(self, name: str) -> str:
        """Return the text of a fact."""
        return dict(self.values)[name]


def facts_of_lesson(x: Lesson, words: Vocabulary) -> ShownFacts:
    """Return what is shown of a lesson; effects in bps a window, evidence in nats."""
    values = (
        ("detector", x.detector_id), ("rule", describe_with(x.rule, words)), ("size", f"{abs(x.uplift_bps):.2f}"),
        ("uplift", f"{x.uplift_bps:+.2f}"), ("low", f"{x.ci95[0]:+.2f}"), ("high", f"{x.ci95[1]:+.2f}"),
        ("level", "95"), ("bound", f"{x.sign * x.lcb_bps:+.2f}"), ("evidence", f"{x.m_nats:.1f}"),
        ("needed", f"{x.critical:.1f}"), ("rules tried", f"{x.trials:,}"), ("grade", x.grade),
        ("verdict", VERDICTS[x.state]), ("published", f"{x.n_published:,}"), ("days", f"{x.n_days}"),
        ("night", x.night),
    )  # fmt: skip
    return ShownFacts(x.lesson_id, values, 1 if x.uplift_bps >= 0.0 else -1, x.accepted)


def lesson_sentence(facts: ShownFacts) -> str:
    """Return the template's sentence of a lesson."""
    among = f"among {facts['rules tried']} rules" if facts["rules tried"] != "0" else "between days"
    more, verb = "more" if facts.direction > 0 else "less", VERBS[facts["verdict"]]
    return (
        f"{facts['detector']} {verb} {facts['size']} bps {more} where {facts['rule']}: uplift {facts['uplift']} bps, "
        f"{facts['level']} % [{facts['low']}, {facts['high']}], bound {facts['bound']}; {facts['evidence']} nats where "
        f"{facts['needed']} were needed {among}; grade {facts['grade']}, {facts['verdict']}, {facts['published']} "
        f"published windows on {facts['days']} days, nightly run of {facts['night']}"
    )


def facts_of_candidate(row: Mapping[str, Any]) -> ShownFacts:
    """Return what is shown of a candidate: a row of the ledger with its body."""
    body = row["body"]
    values = (
        ("candidate", row["candidate_id"][:12]), ("signal", str(body["expression"])),
        ("horizon", f"{body['horizon_s']}"), ("T", f"{body['t']:.2f}"),
        *((f"fold {k}", f"{fold:.2f}") for k, fold in enumerate(body["folds"], 1)),
        ("nodes", f"{body['nodes']}"), ("depth", f"{body['depth']}"), ("state", str(row["state"])),
        ("check", str(row["check_name"])), ("value", f"{row['value']:.2f}"), ("needed", f"{row['bound']:.2f}"),
    )  # fmt: skip
    return ShownFacts(row["candidate_id"], values)
