-- What each learning day was made of: references under one hash, chained to the learning day before. Append-only.
CREATE TABLE fixture_bundles (
    fixtures_hash  text PRIMARY KEY,
    branch         text NOT NULL,
    day            text NOT NULL,
    parent         text NOT NULL,                          -- bundle of the learning day before; '' at the beginning
    body           jsonb NOT NULL,                         -- universe, seed, versions, raw segments, tables with hashes
    git_sha        text NOT NULL DEFAULT 'unknown',        -- commit that made the row, in no content hash
    lock_sha256    text NOT NULL,                          -- of the pinned libraries, in no content hash
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX fixture_bundles_day ON fixture_bundles (branch, day);

-- What stages took when they were last computed. Beside them: in no hash, read by no stage.
CREATE TABLE stage_costs (
    branch         text NOT NULL,
    day            text NOT NULL,
    stage          text NOT NULL,
    cpu_s          double precision NOT NULL,              -- of the stage's thread
    wall_s         double precision NOT NULL,
    git_sha        text NOT NULL DEFAULT 'unknown',
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, day, stage)
);

-- Experiments that somebody ran: what was asked of what, and what came of it. Append-only.
CREATE TABLE experiment_runs (
    run_id         text PRIMARY KEY,
    branch         text NOT NULL,
    kind           text NOT NULL CHECK (kind <> ''),       -- learn, noise, what-if, benchmark
    config         jsonb NOT NULL,
    fixtures_hash  text NOT NULL,                          -- bundle, or hash of the file; '' for none
    git_sha        text NOT NULL,
    priors_ver     text NOT NULL,                          -- beliefs that it began with; '' for none
    seeds          jsonb NOT NULL,
    started_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX experiment_runs_newest ON experiment_runs (branch, started_at DESC);

CREATE TABLE experiment_results (
    run_id         text PRIMARY KEY REFERENCES experiment_runs (run_id),
    finished_at    timestamptz NOT NULL DEFAULT now(),
    status         text NOT NULL CHECK (status IN ('ok', 'failed', 'refused')),
    metrics        jsonb NOT NULL
);

-- All that was tried: runs with their results, lost after a day without one, and what nights recorded.
CREATE VIEW v_experiments AS
SELECT r.run_id, r.branch, to_char(r.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, r.kind, r.kind AS name,
       CASE WHEN e.status IS NOT NULL THEN e.status
            WHEN r.started_at < now() - interval '24 hours' THEN 'lost' ELSE 'running' END AS status,
       r.config, coalesce(e.metrics, '{}'::jsonb) AS metrics, r.fixtures_hash, r.priors_ver, r.seeds, r.git_sha,
       r.started_at, e.finished_at
FROM experiment_runs r LEFT JOIN experiment_results e ON e.run_id = r.run_id
UNION ALL
SELECT n.branch || '/' || n.day || '/' || n.kind || '/' || n.name, n.branch, n.day, n.kind, n.name, 'ok',
       '{}'::jsonb, n.body, '', '', '{}'::jsonb, n.git_sha, NULL, NULL
FROM experiments n;
