"""The stages in the order in which a day runs them. Names are those of the catalogue; a test compares both."""

from lotus_assets.stages import (
    active_priors,
    braids,
    detector_audits,
    detector_cards,
    detector_dsi_attrib,
    dm_evidence,
    dm_knowledge,
    dr_crosscheck,
    dsi_annotations,
    expert_set,
    expert_stats,
    expert_training,
    lesson_atoms,
    lessons,
    meta_braids,
    meta_signals,
    microtape_frames,
    module_numbers,
    payoff_scores,
    raw_tape,
    sanity_table,
    signal_eval,
    signal_events,
)
from lotus_assets.stages.context import Stage

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
    detector_cards.STAGE,
    lesson_atoms.STAGE,
    lessons.STAGE,
    dr_crosscheck.STAGE,
    braids.STAGE,
    meta_braids.STAGE,
    active_priors.STAGE,
)
STAGES: dict[str, Stage] = {stage.name: stage for stage in (*TAPE_STAGES, *LEARNING_STAGES)}
