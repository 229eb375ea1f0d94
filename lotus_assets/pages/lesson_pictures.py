"""Pictures of an interim analysis, for the metadata of `lessons`: forest plot, calibration, life lines, heat maps.

A glance, not a record: nothing of it is stored or hashed. Drawing is `lotus.pictures`; a nightly run without an alpha
slot has no picture, and is not made to wait for one.
"""

from collections.abc import Callable, Mapping, Sequence

from lotus.learning.axes import axes
from lotus.learning.demean import demean
from lotus.learning.lesson import Lesson
from lotus.learning.night import NightResult
from lotus.learning.payoff_scores import Columns
from lotus.learning.rows import DetectorRows, rows_by_detector
from lotus.learning.views import calibration, heat_map, life_line
from lotus.manifest import LearningDefaults, Manifest
from lotus.priors.asset_context import describe_with
from lotus.priors.segment_context import search_words
from lotus.priors.vocabulary import Vocabulary
from lotus_assets.pages.drawing import DRAWING

MAX_OF_A_KIND = 3  # calibration curves, life lines and heat maps of one nightly run


def lesson_pictures(
    night: NightResult,
    read: Callable[[], Mapping[str, Columns]],
    manifest: Manifest,
    standing: Sequence[tuple[Lesson, int]] = (),
) -> dict[str, str]:
    """Return Markdown images by name; none without an interim analysis, or when nothing was near.

    `read` gives the scores of the nightly run's window; it is asked only when something is drawn. `standing` are the
    lessons that the run began with, each with its level of trust.
    """
    if not night.looked or not (night.lessons or night.proposals or night.refused):
        return {}
    words = search_words(manifest)
    tables = rows_by_detector(read(), manifest.learning.search_days, words)
    with DRAWING:
        return _of_night(night, tables, standing, words) | _of_lessons(night, tables, manifest.learning, words)


def _of_night(
    night: NightResult,
    tables: Mapping[str, DetectorRows],
    standing: Sequence[tuple[Lesson, int]],
    words: Vocabulary,
) -> dict[str, str]:
    from lotus.pictures.canvas import png_markdown
    from lotus.pictures.curves import calibration_curve
    from lotus.pictures.forest import ForestRow, forest

    shown = [(x, f"in force, level {level}") for x, level in standing]
    shown += [(x, _note(x)) for x in (*night.lessons, *night.proposals, *night.refused)]
    rows = [
        ForestRow(_title(x, words), x.uplift_bps, *x.ci95, max(x.lcb_bps, 0.0) * x.accepted, x.accepted, note)
        for x, note in shown
    ]
    out = {"forest_plot": png_markdown("lessons and refusals", forest(rows))}
    for name in _audited(night):
        if (tables[name].h > 0.0).any():
            out[f"calibration_{name}"] = png_markdown(name, calibration_curve(calibration(tables[name])))
    return out


def _of_lessons(
    night: NightResult, tables: Mapping[str, DetectorRows], settings: LearningDefaults, words: Vocabulary
) -> dict[str, str]:
    from lotus.pictures.canvas import png_markdown
    from lotus.pictures.curves import life
    from lotus.pictures.heat import heat

    out = {}
    for k, lesson in enumerate(night.lessons[:MAX_OF_A_KIND], 1):
        rows, title = tables[lesson.detector_id].weighed(), _title(lesson, words)
        before = tuple(x.rule for x in night.lessons[: k - 1] if x.detector_id == lesson.detector_id)
        r = demean(rows.basis(before), rows.h, rows.f, rows.day, len(rows.days))
        price = float(axes(settings.max_literals, words).price[len(lesson.rule.literals)])
        out[f"life_line_{k}"] = png_markdown(
            title, life(life_line(rows, r, lesson.rule, title, price), night.critical.day)
        )
        out[f"heat_map_{k}"] = png_markdown(title, heat(heat_map(rows, r, lesson.rule, title)))
    return out


def _audited(night: NightResult) -> Sequence[str]:
    """Return the detectors whose calibration is shown: those with lessons, then those furthest from the diagonal."""
    learned = {x.detector_id for x in night.lessons}
    order = sorted(night.audits, key=lambda a: (a.detector_id not in learned, -abs(a.calibration_z), a.detector_id))
    return [a.detector_id for a in order[:MAX_OF_A_KIND]]


def _title(lesson: Lesson, words: Vocabulary) -> str:
    return f"{lesson.detector_id}: {describe_with(lesson.rule, words)}"


def _note(lesson: Lesson) -> str:
    return f"grade {lesson.grade}" if lesson.grade != "none" else "refused"
