"""The facts of `lotus lessons` from the ledger: beliefs in force after a nightly run, its lessons and its refusals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lotus.errors import ConfigError, LedgerError
from lotus.learning.lesson import Lesson
from lotus.manifest import WeaveDefaults
from lotus.priors.asset_context import describe_with
from lotus.priors.segment_context import rule_words
from lotus.priors.trace import describe_braid
from lotus.priors.vocabulary import Vocabulary
from lotus.sentences.shown_facts import facts_of_lesson, lesson_sentence
from lotus.timebase import DAY_MS, day_of, day_start_ms, next_day
from lotus.weave.braid import Braid
from lotus.weave.earned import TrustRow
from lotus_store.config import Settings
from lotus_store.databases import Connection, Databases
from lotus_store.facts.braids import braid_facts, trust_facts
from lotus_store.facts.compositions import composition_rows
from lotus_store.facts.words import NEVER_MS, day_ranges
from lotus_store.ledger.beliefs.braids import read_registry
from lotus_store.ledger.beliefs.lessons import read_experiments, read_lesson, read_lessons
from lotus_store.ledger.beliefs.trust import read_trust
from lotus_store.ledger.day_commits import committed_days
from lotus_store.ledger.texts import TEMPLATE, LessonText, texts_of

NIGHT = "night"  # kind and name of the record of what a nightly run looked for
EXPERIMENT = "experiment"  # kind of the rows of experiments that ran or ended, and of proposals not taken up


@dataclass(frozen=True, slots=True)
class Night:
    """One nightly run: `beliefs` in force after it, each with the lesson that taught it (None for none of its own).

    `asked`: a person named the day. `look` is the nightly run's own record. `waits` are braids of its lessons without a
    patch in force, by lesson. `trust` is what braids had earned after it, by braid; `experiments` are its rows of those
    that ran or ended, and of proposals that were not taken up. `compositions` are those across modules. `words` name
    the coins of rules; `texts` are stored sentences, by lesson.
    """

    branch: str
    day: str
    asked: bool
    look: Mapping[str, Any]
    beliefs: tuple[tuple[Braid, Lesson | None], ...]
    lessons: tuple[Lesson, ...]
    waits: Mapping[str, Braid]
    trust: Mapping[str, TrustRow]
    experiments: tuple[Mapping[str, Any], ...]
    compositions: tuple[Mapping[str, Any], ...]
    weave: WeaveDefaults
    words: Vocabulary
    texts: Mapping[str, LessonText] = field(default_factory=dict)

    def sentence(self, lesson: Lesson) -> tuple[str, str]:
        """Return a lesson as a sentence, and who wrote it: the template or a model by its name."""
        stored = self.texts.get(lesson.lesson_id)
        if stored is None:
            return lesson_sentence(facts_of_lesson(lesson, self.words)), TEMPLATE
        return stored.text, stored.model or stored.author

    @property
    def refused(self) -> list[Lesson]:
        """Those that the nightly run turned down."""
        return [x for x in self.lessons if x.state == "REFUSED"]

    @property
    def kept(self) -> list[Lesson]:
        """Those that it accepted or proposed."""
        return [x for x in self.lessons if x.state != "REFUSED"]

    @property
    def needed_nats(self) -> tuple[float, float]:
        """Return the evidence that both lanes needed, infinite where the nightly run did not look."""
        day, rest = self.look.get("critical") or (float("inf"), float("inf"))
        return float(day), float(rest)

    def days_left(self, braid: Braid) -> int | None:
        """Return the days from the end of this day to the end of a braid, None for one without an end."""
        if braid.expires_at_ms >= NEVER_MS:
            return None
        return max(0, round((braid.expires_at_ms - day_start_ms(next_day(self.day))) / DAY_MS))

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "branch": self.branch,
            "day": self.day,
            "asked": self.asked,
            "looked": bool(self.look.get("looked")),
            "learning_days": self.look.get("learning_days"),
            "trials": self.look.get("trials"),
            "needed_nats": self.needed_nats,
            "beliefs": [self._belief(braid, lesson) for braid, lesson in self.beliefs],
            "experiments": [dict(x) for x in self.experiments],
            "compositions": [dict(x) for x in self.compositions],
            "lessons": [self._lesson(x) for x in self.kept],
            "refused": [_lesson(x, self.words) for x in self.refused],
        }

    def _belief(self, braid: Braid, lesson: Lesson | None) -> dict[str, Any]:
        return {
            **braid_facts(braid, self.words),
            "theta_delta": braid.patch.theta_delta,
            "phi_mult": braid.patch.phi_mult,
            "gate": braid.patch.gate,
            "trust": trust_facts(self.trust.get(braid.braid_id)),
            "from": day_of(braid.effective_from_ms),
            "days_left": self.days_left(braid),
            "e_value": braid.e_value,
            "revert_if": braid.revert_if(self.weave),
            "lesson": None if lesson is None else self._lesson(lesson),
        }

    def _lesson(self, lesson: Lesson) -> dict[str, Any]:
        text, author = self.sentence(lesson)
        return _lesson(lesson, self.words) | {"text": text, "text_by": author}


def night_of(settings: Settings, day: str | None, detector: str | None) -> Night:
    """Return the facts of a nightly run, of one detector or of all.

    Raises `ConfigError` for a day without a nightly run, and for a detector of which nothing was ever learned or
    refused.
    """
    with Databases(settings) as databases, databases.connect("sig") as sig:
        nights = _nights(sig, settings.branch, day)
        every = read_lessons(sig, settings.branch)
        chosen = day or _newest_analysis(sig, settings.branch, every) or nights[-1]
        registry = read_registry(sig, settings.branch, chosen)
        _check_detector(detector, [*every, *registry])
        own_braids = [b for b in registry if detector in (None, b.detector_id)]
        tonight = tuple(x for x in every if x.night == chosen and detector in (None, x.detector_id))
        look = _look(sig, settings.branch, chosen)
        trust = read_trust(sig, settings.branch, chosen)
        beliefs = tuple((b, _taught(sig, b)) for b in own_braids if b.in_force and b.experiment is None)
        tried = read_experiments(sig, settings.branch, chosen, EXPERIMENT).values()
        with databases.connect("tr") as tr:
            composed = composition_rows(tr, settings.branch, chosen)
        words = rule_words(settings.manifest)
        spoken = [x for x in (*tonight, *(taught for _, taught in beliefs)) if x is not None and x.state != "REFUSED"]
        texts = texts_of(sig, settings.branch, [facts_of_lesson(x, words) for x in spoken])
    waits = {b.lesson_id: b for b in own_braids if not b.in_force}
    rules = {b.braid_id: describe_braid(b.active(), words) for b in own_braids}
    return Night(
        branch=settings.branch,
        day=chosen,
        asked=day is not None,
        look=look,
        beliefs=beliefs,
        lessons=tonight,
        waits=waits,
        trust=trust,
        experiments=tuple(
            {**row, "rule": rules.get(row["braid_id"], "")} for row in tried if detector in (None, row["detector_id"])
        ),
        compositions=tuple(row for row in composed if detector in (None, row["detector_id"])),
        weave=settings.manifest.weave,
        words=words,
        texts=texts,
    )


def _nights(sig: Connection, branch: str, day: str | None) -> list[str]:
    """Return the nightly runs of a branch; `day` must be one of them."""
    nights = committed_days(sig, branch, "lessons")
    if not nights:
        raise LedgerError(
            f"branch {branch} has no nightly run of learning", "a committed day", "`lotus backfill` makes one"
        )
    if day is not None and day not in nights:
        raise ConfigError(f"branch {branch} has no nightly run of {day}", f"one of {day_ranges(nights)}")
    return nights


def _newest_analysis(sig: Connection, branch: str, every: Sequence[Lesson]) -> str | None:
    """Return the newest nightly run that looked and accepted or refused something."""
    nights = sorted({x.night for x in every}, reverse=True)
    return next((night for night in nights if _look(sig, branch, night).get("looked")), None)


def _look(sig: Connection, branch: str, night: str) -> Mapping[str, Any]:
    record: Mapping[str, Any] = read_experiments(sig, branch, night, NIGHT).get(NIGHT, {})
    return record


def _check_detector(detector: str | None, rows: Sequence[Lesson | Braid]) -> None:
    names = sorted({x.detector_id for x in rows})
    if detector is not None and detector not in names:
        raise ConfigError(
            f"nothing was ever learned or refused of detector {detector!r}", f"one of {', '.join(names)}"
        )  # fmt: skip


def _taught(sig: Connection, braid: Braid) -> Lesson | None:
    return read_lesson(sig, braid.lesson_id) if braid.lesson_id else None


def _lesson(lesson: Lesson, words: Vocabulary) -> dict[str, Any]:
    facts = asdict(lesson)
    return facts | {"rule": describe_with(lesson.rule, words), "bound_bps": signed_bound(lesson)}


def signed_bound(lesson: Lesson) -> float:
    """Return the bound of an uplift with the uplift's sign, bps: what is left of it after the search."""
    return lesson.sign * lesson.lcb_bps
