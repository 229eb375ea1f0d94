"""Freshness of three assets by day: yesterday's partition is there by 02:00 UTC.

By partition, since a `FreshnessPolicy` looks at the last materialisation of any day and turns green on a backfill.
"""

import warnings

import dagster as dg

DEADLINE = "0 2 * * *"
with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.SupersessionWarning)  # what supersedes them looks at another thing
    FRESHNESS = dg.build_time_partition_freshness_checks(
        assets=["raw_tape", "signal_eval", "active_priors"], deadline_cron=DEADLINE, timezone="UTC"
    )
    fresh_days = dg.build_sensor_for_freshness_checks(
        freshness_checks=FRESHNESS, name="fresh_days", default_status=dg.DefaultSensorStatus.RUNNING
    )
