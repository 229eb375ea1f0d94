"""What `lab.learn` returns: a study as frames, pictures, a page, and advice for events to come.

Every number is the study's; nothing is estimated here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lotus.errors import ConfigError, SchemaError
from lotus.learning.rows import rows_by_detector
from lotus.learning.views import heat_map
from lotus.own_signals.config import OwnConfig
from lotus.own_signals.power import COVERAGES, smallest_effects
from lotus.own_signals.recent import LastDays
from lotus.own_signals.report.portrait import residual
from lotus.own_signals.scores import MaturedScores
from lotus.own_signals.study import Study
from lotus.pictures.curves import life
from lotus.pictures.forest import forest
from lotus.pictures.heat import heat
from lotus.priors.types import Literal, Rule
from lotus.priors.vocabulary import rule_counts
from lotus.tape_machine.diagnosis import nearest
from lotus_lab.advice import Advised, advice_of, advised_lessons
from lotus_lab.export.home import VALID_DAYS
from lotus_lab.export.own import own_data
from lotus_lab.export.render import Target, rendered
from lotus_lab.report import tables
from lotus_lab.report.frames import audit_frame, lesson_frame, refused_frame
from lotus_lab.report.page import page, verdict, write_texts
from lotus_lab.report.page_text import FOREST, LIVES, MAPS
from lotus_lab.report.pictures import Picture, forest_rows

if TYPE_CHECKING:
    import pandas as pd

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Report:
    """A study of events. `facts` is the object that `lotus learn --json` prints; a notebook shows its verdict."""

    facts: Facts
    study: Study = field(repr=False)
    scores: MaturedScores = field(repr=False)
    recent: LastDays = field(repr=False)
    config: OwnConfig = field(repr=False)

    @property
    def lessons(self) -> "pd.DataFrame":
        """Accepted lessons, in the order in which they were found."""
        return lesson_frame(self.facts["lessons"])

    @property
    def proposals(self) -> "pd.DataFrame":
        """Proposals of the second channel, grade C: worth an experiment, never accepted."""
        return lesson_frame(self.facts["proposals"])

    @property
    def refused(self) -> "pd.DataFrame":
        """What was refused, and which number was missing."""
        return refused_frame(self.facts["refused"])

    @property
    def audits(self) -> "pd.DataFrame":
        """Whether the logged propensities are those that drew."""
        return audit_frame(self.facts["audits"])

    def forest(self) -> Picture:
        """Return the picture of all effects with their intervals; raises `SchemaError` when nothing was searched."""
        rows = forest_rows(self.study)
        if not rows:
            raise SchemaError("nothing could be searched", "a detector with draws", "`refused` holds the reasons")
        return Picture(forest(rows), FOREST)

    def life_line(self, lesson: object = 0) -> Picture:
        """Return a lesson's life by day; `lesson` is its place, its id or its row of `lessons`."""
        return Picture(life(self.study.lives[self._place(lesson)], self.study.critical.day), LIVES)

    def heat_map(self, a: str, b: str, detector: str = "") -> Picture:
        """Return the uplift by bins of two features in one detector (default: of the first lesson), bps and t."""
        words = self.study.vocabulary
        names = [f.name for f in words.features]
        for name in (a, b):
            _one_of(name, names, "feature")
        if a == b:
            raise SchemaError(f"{a} twice", "two different features")
        name = _one_of(detector or self._first_detector(), list(self.scores.scores.detectors), "detector with a draw")
        top = [words.features[names.index(x)].bins - 1 for x in (a, b)]
        whole = Rule.of(*(Literal(names.index(x), 0, high) for x, high in zip((a, b), top, strict=True)))
        own = self.scores.scores.of(name)
        rows = rows_by_detector(own, self.study.settings.search_days, words)[name]
        return Picture(heat(heat_map(rows, residual(rows, ()), whole, f"{name}: {a} and {b}")), MAPS)

    def mde(self, days: float = 0.0) -> "pd.DataFrame":
        """Return the smallest uplift (bps) found in 80 % of such samples; `days` asks for more or fewer than these.

        The weight and the six-hour blocks grow with the days, the noise and the bar stay; NaN: out of reach.
        """
        import pandas as pd

        have = len(self.study.days)
        if days < 0 or not math.isfinite(days):
            raise ConfigError(f"{days} days", "0 (those of the sample) or more")
        grown = (days or have) / have
        counts = rule_counts(self.study.vocabulary)[: self.study.settings.max_literals]
        rows = []
        for d in self.study.detectable:
            bps = smallest_effects(d.noise_bps, grown * d.weight, grown * d.blocks, self.study.critical.rest, counts)
            for n, effects in enumerate(bps, 1):
                rows += [
                    {
                        "detector_id": d.detector_id,
                        "days": days or have,
                        "conditions": n,
                        "coverage": c,
                        "uplift_bps": x,
                    }
                    for c, x in zip(COVERAGES, effects, strict=True)
                ]
        frame = pd.DataFrame(rows, columns=["detector_id", "days", "conditions", "coverage", "uplift_bps"])
        return frame.astype({"uplift_bps": "float64"})

    @cached_property
    def advised(self) -> tuple[Advised, ...]:
        """The lessons in force with the tilt of each, and why one has none."""
        return advised_lessons(self.study, self.scores)

    def advice(self, new_events: object) -> "pd.DataFrame":
        """Return for each row of new events the tilt, the lessons that hold there and what they claim (bps).

        Columns `ts`, `asset`, `detector_id` and the features are needed; bins follow from the seven days before, of
        these events and of those learned from. `tilt` is what is added to the logit of the chance to publish.
        """
        return advice_of(self.advised, self.study, self.scores, self.recent, self.config, new_events)

    def export(self, path: str | Path, to: Target = "python") -> Path:
        """Write the lessons that act as a module that needs nothing, or as JSON, and return its path.

        It holds the edges of the day after the last event, serves two days, and refuses to advise after that. Raises
        `BeliefError` when no lesson has a tilt.
        """
        path = Path(path)
        data = self.exported()
        write_texts(path.parent, {path.name: rendered(data, to)})
        return path

    def exported(self, valid_days: int = VALID_DAYS) -> dict[str, Any]:
        """Return what an export holds; raises `BeliefError` when no lesson has a tilt."""
        names = [x["detector_id"] for x in self.facts["detectors"]]
        groups = self.scores.readings.groups
        return own_data(self.advised, names, self.study.vocabulary, self.recent, groups, valid_days)

    def to_html(self, path: str | Path) -> Path:
        """Write the whole report as one HTML file that needs no network, and return its path."""
        path = Path(path)
        write_texts(path.parent, {path.name: page(self.study, self.facts)})
        return path

    def _repr_html_(self) -> str:
        refused = self.facts["refused"]
        shown = tables.refused(refused[:5]) + (f"<p>And {len(refused) - 5} more.</p>" if len(refused) > 5 else "")
        return f"<div>{verdict(self.facts)}{tables.lessons(self.facts['lessons'])}{shown}</div>"

    def _first_detector(self) -> str:
        rows = self.facts["lessons"] or self.facts["detectors"]
        return str(rows[0]["detector_id"])

    def _place(self, lesson: object) -> int:
        import pandas as pd

        ids = [x["lesson_id"] for x in self.facts["lessons"]]
        if isinstance(lesson, int) and 0 <= lesson < len(ids):
            return lesson
        wanted = lesson.get("lesson_id") if isinstance(lesson, Mapping | pd.Series) else lesson
        places = [k for k, name in enumerate(ids) if isinstance(wanted, str) and wanted and name.startswith(wanted)]
        if len(places) != 1:
            raise SchemaError(
                f"no lesson {lesson!r}", f"one of {len(ids)}: a place from 0, an id or a row of `lessons`"
            )
        return places[0]


def _one_of(name: str, names: list[str], what: str) -> str:
    if name not in names:
        hint = nearest(name, names)
        raise SchemaError(f"no {what} {name!r}", ", ".join(names) or "none", f"{hint!r} misspelled" if hint else "")
    return name
