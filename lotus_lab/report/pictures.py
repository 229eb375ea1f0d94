"""Pictures of a study that a notebook shows by itself; what is drawn is `lotus.pictures`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lotus.errors import ConfigError
from lotus.learning.lesson import Lesson
from lotus.own_signals.study import Study
from lotus.pictures.canvas import svg
from lotus.pictures.forest import ForestRow
from lotus.priors.vocabulary import describe_rule

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn figure of matplotlib with its caption; a notebook shows it as SVG."""

    figure: "Figure"
    caption: str

    def save(self, path: str | Path) -> Path:
        """Write it as the ending of `path` says (.svg, .png, .pdf), and return the path."""
        path = Path(path)
        try:
            self.figure.savefig(path)
        except (OSError, ValueError) as error:
            raise ConfigError(
                f"{path}: {error}", "a path that can be written to, ending in .svg, .png or .pdf"
            ) from None
        return path

    def _repr_svg_(self) -> str:
        return svg(self.figure)


def forest_rows(study: Study) -> Sequence[ForestRow]:
    """Return a row for every lesson, proposal, refusal and association of a study."""
    words = study.vocabulary

    def row(x: Lesson, note: str) -> ForestRow:
        label = f"{x.detector_id}: {describe_rule(x.rule, words)}"
        bound = max(x.lcb_bps, 0.0) if x.accepted else 0.0
        return ForestRow(label, x.uplift_bps, *x.ci95, bound, x.accepted, note)

    rows = [row(f.lesson, f"grade {f.lesson.grade}") for f in study.findings]
    rows += [row(x, "proposal, grade C") for x in study.proposals]
    rows += [row(x, f"grade {x.grade}" if x.grade != "none" else "refused") for x in study.refused]
    return [*rows, *(row(x, "grade D") for x in study.associations)]
