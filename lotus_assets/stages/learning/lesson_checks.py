"""Checks on `lessons`: what a reader may take for granted of every row. Cheap: nothing is computed again from scores.

`significant` and `support` look at what is believed, tonight's lessons and those in force; where nothing is, they saw
nothing and say so. They tell and stop nothing: settings may have been softer than the shipped ones, or have been raised
since. `error_budget` and `whole` block. In the literature: data contracts, alpha spending.
"""

from collections.abc import Sequence

from lotus.learning.gates import Support, support_failure
from lotus.learning.lanes import Both
from lotus.learning.lesson import Lesson
from lotus.learning.night import NightResult
from lotus.learning.slots import allowance, in_year
from lotus.manifest import LearningDefaults
from lotus.priors.asset_context import describe_with
from lotus.priors.vocabulary import DEFAULT, Vocabulary
from lotus_assets.stages.context import Cell, CheckOutcome

NOTHING = "nothing was looked at: no lesson tonight, and none in force"


def lesson_checks(
    night: NightResult,
    learning_days: int,
    in_force: Sequence[Lesson],
    settings: LearningDefaults,
    words: Vocabulary = DEFAULT,
) -> tuple[CheckOutcome, ...]:
    """Return the checks of a nightly run; `in_force`: accepted lessons of earlier nightly runs that act on its day.

    `words` name the coins of rules.
    """
    believed = [*night.lessons, *in_force]
    named = [f"{x.detector_id} {describe_with(x.rule, words)}" for x in believed]
    return (
        _of_each("significant", named, [_doubt(x) for x in believed], "exclude zero and passed both lanes"),
        _of_each("support", named, [_thin(x, settings) for x in believed], "have the support that the gates ask"),
        error_budget(night, learning_days, settings),
        whole(night),
    )


def _of_each(name: str, believed: Sequence[str], failures: Sequence[str], words: str) -> CheckOutcome:
    failed = [f"{x}: {why}" for x, why in zip(believed, failures, strict=True) if why]
    text = f"{len(believed) - len(failed)} of {len(believed)} lessons {words}" if believed else NOTHING
    numbers: dict[str, Cell] = {"lessons": len(believed), "failed": len(failed)}
    return CheckOutcome(name, not failed, "; ".join([text, *failed[:3]]), numbers, unseen=not believed)


def _doubt(lesson: Lesson) -> str:
    """Return why a lesson is not beyond chance by its own row, empty when it is."""
    low = min(lesson.sign * bound for bound in lesson.ci95)
    tests = (
        (lesson.sign * lesson.uplift_bps > 0.0, f"uplift {lesson.uplift_bps:+.2f} bps against its sign"),
        (low > 0.0, f"95 % interval {lesson.ci95[0]:+.2f} to {lesson.ci95[1]:+.2f} bps holds zero"),
        (lesson.lcb_bps > 0.0, f"bound of its size {lesson.lcb_bps:.2f} bps"),
        (all(x.m_nats > x.critical for x in lesson.lanes), "a lane is not beyond its bar"),
    )
    return "; ".join(text for passed, text in tests if not passed)


def _thin(lesson: Lesson, settings: LearningDefaults) -> str:
    """Return which gate of support a lesson does not pass, empty when it passes all."""
    recent = min((lesson.sign * x.recent_t for x in lesson.lanes), default=lesson.sign * lesson.recent_t)
    return support_failure(
        Support(
            coverage=lesson.coverage,
            published=lesson.n_published,
            ess=lesson.ess,
            blocks=lesson.n_blocks,
            days=lesson.n_days,
            n_eff_days=lesson.n_eff_days,
            recent_t=recent,
        ),
        settings,
    )


def error_budget(night: NightResult, learning_days: int, settings: LearningDefaults) -> CheckOutcome:
    """No lane spends more alpha slots than its budget year allows, and each lesson is charged all rules searched.

    A nightly run that spends nothing passes though its year is overspent: alpha may have been lowered since.
    """
    charged = all(x.trials == night.trials for x in night.lessons)
    numbers: dict[str, Cell] = {"trials": night.trials}
    if settings.looks == "final" or settings.error_control != "slots":
        how = "one analysis" if settings.looks == "final" else "online FDR"
        spent_now = f"{night.trials} rules searched are charged" if night.looked else "not tonight: nothing spent"
        text = f"{how} at alpha {settings.alpha:g}, {spent_now}, {len(night.lessons)} accepted"
        passed = charged and (night.looked or not night.lessons)
        return CheckOutcome("error_budget", passed, text, numbers)
    spent: list[int] = []
    allowed: list[int] = []
    for lane in night.slots:
        state, number = in_year(lane, learning_days)
        spent.append(state.spent)
        allowed.append(allowance(number, settings.draws, settings.alpha))
    numbers |= {"allowed": allowed[0], **Both(*spent)._asdict()}
    over = night.slots_tonight > 0 and any(s > a for s, a in zip(spent, allowed, strict=True))
    text = (
        f"spent {spent[0]} and {spent[1]} of {allowed[0]} alpha slots that the lanes of the budget year have by now, "
        f"{night.trials} rules searched are charged"
    )
    passed = charged and not over and (night.looked or not night.lessons)
    return CheckOutcome("error_budget", passed, text, numbers)


def whole(night: NightResult) -> CheckOutcome:
    """Every row has a name of its own, the hash of its content, and only what was accepted may own a patch."""
    kept = [*night.lessons, *night.proposals, *night.refused]
    alike = len(kept) - len({x.lesson_id for x in kept})
    renamed = sum(x.named().lesson_id != x.lesson_id for x in kept)
    misplaced = sum(not x.accepted for x in night.lessons) + sum(x.accepted for x in night.refused)
    each = (len(night.lessons), len(night.proposals), len(night.refused))
    text = f"{len(kept)} rows: {each[0]} accepted, {each[1]} proposed, {each[2]} refused"
    numbers: dict[str, Cell] = {"rows": len(kept), "alike": alike, "renamed": renamed, "misplaced": misplaced}
    return CheckOutcome("whole", not (alike or renamed or misplaced), text, numbers, unseen=not kept)
