"""The stages in the order in which a day runs them. Names are those of the catalogue; a test compares both."""

from lotus_assets.stages.context import Stage
from lotus_assets.stages.experts import detector_dsi_attrib, expert_set, expert_stats, expert_training
from lotus_assets.stages.learning import active_priors, braids, dr_crosscheck, lesson_atoms, lessons, meta_braids
from lotus_assets.stages.modules import dm_evidence, dm_knobs, dm_knowledge, module_numbers, tr_knobs
from lotus_assets.stages.scoring import (
    detector_audits,
    detector_cards,
    meta_signals,
    payoff_scores,
    signal_eval,
    signal_events,
)
from lotus_assets.stages.tape import dsi_annotations, microtape_frames, raw_tape, sanity_table

TAPE_STAGES = (raw_tape.STAGE, microtape_frames.STAGE, dsi_annotations.STAGE, sanity_table.STAGE)
LEARNING_STAGES = (
    expert_set.STAGE,
    signal_events.STAGE,
    detector_audits.STAGE,
    meta_signals.STAGE,
    signal_eval.STAGE,
    detector_dsi_attrib.STAGE,
    expert_training.STAGE,
    expert_stats.STAGE,
    payoff_scores.STAGE,
    module_numbers.STAGE,
    dm_evidence.STAGE,
    dm_knowledge.STAGE,
    dm_knobs.TRIALS,
    dm_knobs.LESSONS,
    dm_knobs.BRAIDS,
    detector_cards.STAGE,
    tr_knobs.TRIALS,
    tr_knobs.LESSONS,
    tr_knobs.BRAIDS,
    lesson_atoms.STAGE,
    lessons.STAGE,
    dr_crosscheck.STAGE,
    braids.STAGE,
    meta_braids.STAGE,
    active_priors.STAGE,
)
STAGES: dict[str, Stage] = {stage.name: stage for stage in (*TAPE_STAGES, *LEARNING_STAGES)}
