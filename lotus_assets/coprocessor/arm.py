"""What a model proposes for a search, as candidates: asked again each generation, within its budget, never waited for.

A call that does not come to an answer gives no candidate and the search goes on; after two in a row the model is left
alone for the rest of it. What was answered is stored, so a search that is begun again hears the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lotus.coprocessor.genome import Genome
from lotus.coprocessor.model.brought import genome_of
from lotus.coprocessor.model.calls import CallVerdict
from lotus.coprocessor.model.port import MOST_SPECS, DiversityGap, Prompt, RefusalCode, RefusalCount
from lotus.coprocessor.model.reply_check import SpecRefusal
from lotus.coprocessor.model.window_facts import HourFacts
from lotus.errors import ConfigError
from lotus_llm.model_port import ModelPort, ModelProposal
from lotus_store.ledger.llm_calls import StoredRefusal

IN_A_ROW: Final = 2  # calls without an answer, then no more is asked


@dataclass(slots=True)
class ModelArm:
    """The arm of a model: calling it asks for candidates; what was refused and what failed stays here.

    `refused` counts refusals of earlier nights by code, and goes on counting; `taken` are names of detectors that
    exist; `horizons_s` are those that are judged.
    """

    port: ModelPort
    facts: tuple[HourFacts, ...]
    gaps: tuple[DiversityGap, ...]
    refused: Counter[str]
    taken: Sequence[str]
    horizons_s: Sequence[int]
    step_ms: int
    idea: str = ""
    turn: int = 0
    proposed: int = 0
    refusals: list[StoredRefusal] = field(default_factory=list)
    failures: list[tuple[CallVerdict, str]] = field(default_factory=list)
    failed_in_a_row: int = 0

    def __call__(self, most: int) -> list[Genome]:
        """Return at most so many candidates; none once the model is left alone. Raises `ConfigError` on a replay
        that has no cassette.
        """
        if self.failed_in_a_row >= IN_A_ROW:
            return []
        self.turn += 1
        codes = [code for code in RefusalCode if self.refused[code.value]]
        counts = tuple(RefusalCount(code, self.refused[code.value]) for code in codes)
        prompt = Prompt(self.facts, self.gaps, counts, min(most, MOST_SPECS), self.idea, self.turn)
        proposal = self.port.propose(prompt, self.taken)
        failed = [call for call in proposal.calls if call.reply is None]
        self.failures += [(call.verdict, call.words) for call in failed]
        self.failed_in_a_row = self.failed_in_a_row + 1 if failed else 0
        return self._candidates(proposal)

    def facts_of_arm(self) -> dict[str, Any]:
        """Return what came of it: prompts, candidates, refusals by code, calls without an answer by verdict."""
        return {
            "asked": self.turn, "proposed": self.proposed,
            "refused": dict(sorted(Counter(one.code for one in self.refusals).items())),
            "failed": dict(sorted(Counter(verdict.value for verdict, _ in self.failures).items())),
            "left_alone": self.failed_in_a_row >= IN_A_ROW,
        }  # fmt: skip

    def _candidates(self, proposal: ModelProposal) -> list[Genome]:
        request = proposal.calls[-1].record.request_hash
        refusals = list(proposal.checked.refusals)
        found = []
        for n, one in enumerate(proposal.checked.specs, 1):
            try:
                genome = genome_of(one.spec, self.step_ms)
                if genome.horizon_s not in self.horizons_s:
                    raise ConfigError(f"a horizon of {genome.horizon_s} s", "one that is evaluated here")
                found.append(genome)
            except ConfigError as error:
                refusals.append(SpecRefusal(RefusalCode.BOUNDS, MOST_SPECS + n, str(error)))
        self.refusals += [StoredRefusal(request, r.spec, r.code.value, r.words[:300]) for r in refusals]
        self.refused.update(r.code.value for r in refusals)
        self.proposed += len(found)
        return found


def counted(refused: Mapping[str, int]) -> Counter[str]:
    """Return earlier refusals by code, without codes that a prompt has no word for."""
    words = {code.value for code in RefusalCode}
    return Counter({code: times for code, times in refused.items() if code in words})
