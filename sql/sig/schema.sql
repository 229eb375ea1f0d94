-- Database of the module sig (alpha detector): events, outcomes, lessons, braids, priors, tape catalogue, live log.
-- Not known is NaN in measured columns, as in the lake. `fired` and `cond_key` are unsigned 64-bit numbers kept in
-- two's complement. Days are text YYYY-MM-DD (UTC); times are milliseconds or nanoseconds of event time.

-- Mirrors of lake tables, replaced whole per branch and day. One partition a month, made by signal_partitions.
CREATE TABLE signal_events (
    day               text COLLATE "C" NOT NULL,
    event_id         text NOT NULL,
    branch           text NOT NULL,
    detector_id      text NOT NULL,
    spec_version     integer NOT NULL,
    asset            text NOT NULL,
    window_start_ms  bigint NOT NULL,
    window_end_ms    bigint NOT NULL,
    close_recv_ns    bigint NOT NULL,
    close_seq        bigint NOT NULL,
    horizon_s        integer NOT NULL,
    s                double precision NOT NULL,
    uncert           double precision NOT NULL,
    kairos           double precision NOT NULL,
    entrain          double precision NOT NULL,
    mx_evidence      double precision NOT NULL,
    mx_confirm       double precision NOT NULL,
    kr_hbar          double precision NOT NULL,
    kr_coherence     double precision NOT NULL,
    kr_phi           double precision NOT NULL,
    kr_theta         double precision NOT NULL,
    kr_rho           double precision NOT NULL,
    kr_emergence     double precision NOT NULL,
    kr_novelty       double precision NOT NULL,
    sq_score         double precision NOT NULL,
    theta1           double precision NOT NULL,
    theta2           double precision NOT NULL,
    phi_mult         double precision NOT NULL,
    crowd_share      double precision NOT NULL,
    kr_delta_phi     double precision NOT NULL,
    det_sigma        double precision NOT NULL,
    ln_sigma_0       double precision NOT NULL,
    ln_sigma_tilde   double precision NOT NULL,
    tau_pub          double precision NOT NULL,
    temperature      double precision NOT NULL,
    u0               double precision NOT NULL,
    u                double precision NOT NULL,
    pi               double precision NOT NULL,
    draw             double precision NOT NULL,
    veto             bigint NOT NULL,
    eligible         boolean NOT NULL,
    published        boolean NOT NULL,
    fired            bigint NOT NULL,
    priors_ver       text NOT NULL,
    tables_ver       text NOT NULL,
    b_vol            smallint NOT NULL,
    b_hbar           smallint NOT NULL,
    b_mx             smallint NOT NULL,
    b_depth_slope    smallint NOT NULL,
    b_imbalance      smallint NOT NULL,
    b_oi             smallint NOT NULL,
    b_funding        smallint NOT NULL,
    b_basis          smallint NOT NULL,
    b_spread         smallint NOT NULL,
    b_session        smallint NOT NULL,
    b_flow           smallint NOT NULL,
    b_trend          smallint NOT NULL,
    x_vol            double precision NOT NULL,
    x_hbar           double precision NOT NULL,
    x_mx             double precision NOT NULL,
    x_depth_slope    double precision NOT NULL,
    x_imbalance      double precision NOT NULL,
    x_oi             double precision NOT NULL,
    x_funding        double precision NOT NULL,
    x_basis          double precision NOT NULL,
    x_spread         double precision NOT NULL,
    x_session        double precision NOT NULL,
    x_flow           double precision NOT NULL,
    x_trend          double precision NOT NULL,
    cond_key         bigint NOT NULL,
    mid2             bigint NOT NULL,
    spread_bps       double precision NOT NULL,
    rv_bps           double precision NOT NULL,
    source           text NOT NULL,
    gate             double precision,                     -- of earned trust, logit; null: written before there was one
    PRIMARY KEY (event_id, day)
) PARTITION BY RANGE (day);
CREATE INDEX signal_events_day ON signal_events (branch, day);
CREATE INDEX signal_events_published ON signal_events (branch, window_end_ms) WHERE published;
CREATE INDEX signal_events_moved ON signal_events (branch, window_end_ms) WHERE published AND fired <> 0;

CREATE TABLE signal_eval (
    branch         text NOT NULL,
    day            text COLLATE "C" NOT NULL,                          -- the day on which the longest horizon matured
    event_id       text NOT NULL,
    detector_id    text NOT NULL,
    asset          text NOT NULL,
    window_end_ms  bigint NOT NULL,
    maturity_ms    bigint NOT NULL,
    horizon_s      integer NOT NULL,
    hit            double precision NOT NULL,
    payoff_p       double precision NOT NULL,
    payoff_y       double precision NOT NULL,
    fill_source    text NOT NULL,
    status         text NOT NULL,
    PRIMARY KEY (event_id, day)
) PARTITION BY RANGE (day);
CREATE INDEX signal_eval_day ON signal_eval (branch, day);

CREATE TABLE signal_eval_horizons (
    branch         text NOT NULL,
    day            text COLLATE "C" NOT NULL,
    event_id       text NOT NULL,
    horizon_s      integer NOT NULL,
    fwd_ret_bps    double precision NOT NULL,
    payoff_p       double precision NOT NULL,
    hit            double precision NOT NULL,
    mfe            double precision NOT NULL,
    mae            double precision NOT NULL,
    PRIMARY KEY (event_id, horizon_s, day)
) PARTITION BY RANGE (day);
CREATE INDEX signal_eval_horizons_day ON signal_eval_horizons (branch, day);

-- Makes the partitions of a day's month and of the next, before that day is written. Its caller owns nothing. A new table
-- is attached and not created in place: attaching lets readers and writers of the other months go on.
CREATE FUNCTION signal_partitions(first_day text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    month date;
    parent text;
    part text;
BEGIN
    FOR ahead IN 0..1 LOOP
        month := date_trunc('month', first_day::date) + make_interval(months => ahead);
        FOREACH parent IN ARRAY ARRAY['signal_events', 'signal_eval', 'signal_eval_horizons'] LOOP
            part := parent || to_char(month, '_YYYY_MM');
            CONTINUE WHEN to_regclass(part) IS NOT NULL
                OR NOT EXISTS (SELECT FROM pg_partitioned_table WHERE partrelid = parent::regclass);
            EXECUTE format('LOCK TABLE %I IN SHARE UPDATE EXCLUSIVE MODE', parent);
            CONTINUE WHEN to_regclass(part) IS NOT NULL;  -- somebody else made it meanwhile
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, part, to_char(month, 'YYYY-MM'), to_char(month + interval '1 month', 'YYYY-MM')
            );
        END LOOP;
    END LOOP;
END $$;

-- What was learned. `body` is the whole value; the other columns are read from it.
CREATE TABLE lessons (
    branch         text NOT NULL,
    day            text NOT NULL,
    lesson_id      text NOT NULL,
    body           jsonb NOT NULL,
    detector_id    text GENERATED ALWAYS AS (body ->> 'detector_id') STORED,
    horizon_s      integer GENERATED ALWAYS AS ((body ->> 'horizon_s')::integer) STORED,
    state          text GENERATED ALWAYS AS (body ->> 'state') STORED,
    grade          text GENERATED ALWAYS AS (body ->> 'grade') STORED,
    reason         text GENERATED ALWAYS AS (body ->> 'reason') STORED,
    uplift_bps     double precision GENERATED ALWAYS AS ((body ->> 'uplift_bps')::double precision) STORED,
    lcb_bps        double precision GENERATED ALWAYS AS ((body ->> 'lcb_bps')::double precision) STORED,
    words          tsvector GENERATED ALWAYS AS (to_tsvector('simple',
        coalesce(body ->> 'detector_id', '') || ' ' || coalesce(body ->> 'state', '') || ' ' || coalesce(body ->> 'grade', '') || ' '
        || coalesce(body ->> 'reason', '') || ' ' || lesson_id || ' '
        || regexp_replace(jsonb_path_query_array(body, '$.rule.literals[*].feature')::text, '\d+', 'feature\&', 'g'))) STORED,
    PRIMARY KEY (branch, day, lesson_id)
);
CREATE INDEX lessons_by_id ON lessons (lesson_id);
CREATE INDEX lessons_uplift ON lessons (branch, uplift_bps DESC NULLS LAST);
CREATE INDEX lessons_by_words ON lessons USING gin (words);
CREATE INDEX lessons_detector ON lessons (branch, detector_id, day DESC);
CREATE INDEX lessons_grade ON lessons (branch, grade, day DESC);

-- Evidence is append-only for the module; a day that is computed again is replaced whole, through this function. What was
-- done to a braid after its night (ordinal 1 and more) is no part of the night and stays.
CREATE FUNCTION forget_day(evidence text, of_branch text, of_day text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    gone bigint;
BEGIN
    IF evidence NOT IN (
        'signal_events', 'signal_eval', 'signal_eval_horizons', 'lessons', 'braid_history', 'braid_trust'
    ) THEN
        RAISE EXCEPTION 'days of % are not replaced', evidence USING ERRCODE = 'insufficient_privilege';
    END IF;
    EXECUTE format('DELETE FROM %I WHERE branch = $1 AND day = $2', evidence)
        || CASE evidence WHEN 'braid_history' THEN ' AND ordinal = 0' ELSE '' END USING of_branch, of_day;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- What a night used up and saw: trials charged, critical value, audits, refusals of families.
CREATE TABLE experiments (
    branch         text NOT NULL,
    day            text NOT NULL,
    kind           text NOT NULL,
    name           text NOT NULL,
    body           jsonb NOT NULL,
    git_sha        text NOT NULL DEFAULT 'unknown',        -- commit that made the row, in no content hash
    PRIMARY KEY (branch, day, kind, name)
);

CREATE TABLE braid_history (
    branch         text NOT NULL,
    day            text NOT NULL,
    braid_id       text NOT NULL,
    ordinal        integer NOT NULL DEFAULT 0,             -- 0 = by the night, then by the watchdog until the next one
    old_state      text NOT NULL,
    new_state      text NOT NULL CHECK (new_state IN ('proposed', 'active', 'sunset', 'archived')),
    reason         text NOT NULL,
    priors_before  text NOT NULL,
    priors_after   text NOT NULL,
    body           jsonb NOT NULL,
    fixtures_hash  text NOT NULL DEFAULT '',               -- of the scores that the night's lessons were learned from
    git_sha        text NOT NULL DEFAULT 'unknown',        -- commit that made the row, in no content hash
    PRIMARY KEY (branch, day, braid_id, ordinal)
);
CREATE INDEX braid_history_by_id ON braid_history (braid_id);
CREATE INDEX braid_history_lesson ON braid_history (branch, (body ->> 'lesson_id'));
CREATE INDEX braid_history_states ON braid_history (branch, braid_id, day DESC, ordinal DESC) INCLUDE (new_state);
CREATE VIEW braids AS
SELECT DISTINCT ON (branch, braid_id)
    branch, braid_id, day, ordinal, new_state AS state, reason,
    body ->> 'braid_type' AS braid_type, body ->> 'detector_id' AS detector_id, body ->> 'lesson_id' AS lesson_id,
    body ->> 'grade' AS grade, (body ->> 'effective_from_ms')::bigint AS effective_from_ms,
    (body ->> 'expires_at_ms')::bigint AS expires_at_ms, body, fixtures_hash, git_sha, priors_before AS priors_ver
FROM braid_history ORDER BY branch, braid_id, day DESC, ordinal DESC;
CREATE VIEW sig_braid AS SELECT * FROM braids;

-- What a living micro braid has earned, one row a learning day, written by the night; the state behind it is in the
-- braid's body.
CREATE TABLE braid_trust (
    branch         text NOT NULL,
    day            text NOT NULL,
    braid_id       text NOT NULL,
    level          smallint NOT NULL CHECK (level BETWEEN 0 AND 3),
    e              double precision NOT NULL,              -- evidence for the next level since the last change, 20 rises
    snr_low        double precision NOT NULL,              -- lower estimate, daily; NaN before it is known
    cap            double precision NOT NULL,              -- tilt that the level allows, logit
    reason         text NOT NULL,                          -- why it stands where it does
    PRIMARY KEY (branch, day, braid_id)
);

-- Acts of reviewers on braids and versions, one row each, taken up by the first night after `asof_day`. Append-only.
CREATE TABLE braid_reviews (
    branch         text NOT NULL,
    act_id         text NOT NULL,                          -- hash of what the act says
    asof_day       text NOT NULL,                          -- last committed day when it was said
    kind           text NOT NULL CHECK (kind IN (
        'approve', 'reject', 'extend', 'attenuate', 'raise_cap', 'freeze', 'lower', 'rollback'
    )),
    target         text NOT NULL,                          -- braid_id, or the version a rollback returns to
    author         text NOT NULL CHECK (author <> ''),
    reason_code    text NOT NULL,
    factor         double precision NOT NULL,
    note           text NOT NULL,
    event_id       text NOT NULL,                          -- the message that brought it
    created_at     timestamptz NOT NULL DEFAULT now(),
    confidence     double precision CHECK (confidence BETWEEN 0 AND 1),  -- author's probability of being right
    PRIMARY KEY (branch, act_id)
);
CREATE INDEX braid_reviews_day ON braid_reviews (branch, asof_day);

-- Acts of governance: who steers what, by how much, from which day to which, and why. Never changed.
CREATE TABLE governance_acts (
    branch         text NOT NULL,
    act_id         text NOT NULL,                          -- hash of what the act says
    day            text NOT NULL,                          -- last learning day known when it was decided
    actor          text NOT NULL CHECK (actor <> ''),      -- curator:NAME, or a person
    kind           text NOT NULL CHECK (kind <> ''),       -- nudge, veto, lift
    target         text NOT NULL,                          -- DETECTOR, DETECTOR@COIN or @COIN
    value          double precision NOT NULL,              -- log nudge, else 0
    reason         text NOT NULL CHECK (reason <> ''),
    evidence_ref   text NOT NULL,                          -- what it rests on
    from_day       text NOT NULL,                          -- first UTC day in force
    until_day      text NOT NULL,                          -- first day without it
    revokes        text NOT NULL DEFAULT '',               -- act that a lift ends
    event_id       text NOT NULL DEFAULT '',               -- the message that brought it; empty: a night decided it
    created_at     timestamptz NOT NULL DEFAULT now(),
    at_once        boolean NOT NULL DEFAULT false,         -- a veto that also holds from the next window on
    PRIMARY KEY (branch, act_id),
    CHECK (day < from_day AND from_day < until_day)
);
CREATE INDEX governance_acts_until ON governance_acts (branch, until_day);
CREATE INDEX governance_acts_revokes ON governance_acts (branch, revokes) WHERE revokes <> '';

-- Acts with the day on which they end, lifts counted: in force on a day d when from_day <= d < ends_day.
CREATE VIEW v_acts_in_force AS
SELECT a.branch, a.act_id, a.day, a.actor, a.kind, a.target, a.value, a.reason, a.evidence_ref, a.from_day, a.until_day,
       least(a.until_day, lifted.from_day) AS ends_day, lifted.actor AS lifted_by, a.at_once
FROM governance_acts a LEFT JOIN LATERAL (
    SELECT l.from_day, l.actor FROM governance_acts l
    WHERE l.branch = a.branch AND l.revokes = a.act_id AND l.revokes <> '' ORDER BY l.from_day LIMIT 1
) lifted ON true
WHERE a.kind <> 'lift';

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

-- What monitors alarmed about, one row an alarm, for people to see to. Append-only: what is done is an act.
CREATE TABLE curation_queue (
    branch         text NOT NULL,
    alert_id       text NOT NULL,                          -- hash of branch, kind, subject and time
    time_ms        bigint NOT NULL,                        -- event time of drift, the hour of what goes on
    kind           text NOT NULL CHECK (kind <> ''),
    subject        text NOT NULL CHECK (subject <> ''),
    found          text NOT NULL,
    expected       text NOT NULL,
    severity       text NOT NULL CHECK (severity IN ('warn', 'error')),
    act_id         text NOT NULL,                          -- the act that followed; '' for none
    event_id       text NOT NULL,                          -- the message that brought it
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, alert_id)
);
CREATE INDEX curation_queue_time ON curation_queue (branch, time_ms DESC);

-- Which alarms were told to the queue and to the user's command: claimed before it runs, so none is told twice.
CREATE TABLE alerts_told (
    branch         text NOT NULL,
    alert_id       text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, alert_id)
);

-- What was asked of stored days and what came of it, never changed; the level of an answer follows from its number.
CREATE TABLE what_ifs (
    branch         text NOT NULL,
    what_if_id     text NOT NULL,                          -- hash of the change, the days and their outcomes
    number         integer NOT NULL CHECK (number >= 1),   -- among the questions on days that overlap
    from_day       text NOT NULL,
    to_day         text NOT NULL,
    change         text NOT NULL CHECK (change <> ''),     -- in words
    body           jsonb NOT NULL,                         -- change, log, tape
    git_sha        text NOT NULL DEFAULT 'unknown',        -- commit that made the row, in no content hash
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, what_if_id),
    CHECK (from_day <= to_day)
);
CREATE INDEX what_ifs_days ON what_ifs (branch, to_day);

-- Every candidate detector ever charged a trial, by what it computes; the count of all of them never falls. Append-only.
CREATE TABLE candidate_trials (
    candidate_id   text PRIMARY KEY,                       -- canonical id: up to names, order, sign; with the horizon
    number         integer NOT NULL UNIQUE CHECK (number >= 1),  -- N with it, over all branches and origins
    branch         text NOT NULL,
    night          text NOT NULL,                          -- last day of the span that it was first scored on
    run            text NOT NULL,                          -- who charged it
    generation     integer NOT NULL CHECK (generation >= 0),
    origin         text NOT NULL CHECK (origin IN ('breed', 'llm', 'person')),
    operator       text NOT NULL CHECK (operator <> ''),
    horizon_s      integer NOT NULL CHECK (horizon_s >= 1),
    expression     text NOT NULL CHECK (expression <> ''),
    parents        jsonb NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    -- null: no model had a part; '': until when it knows is not known; else a day. A child has that of its parents.
    knows_until    text CHECK (knows_until ~ '^(\d{4}-\d{2}-\d{2})?$')
);
CREATE INDEX candidate_trials_run ON candidate_trials (run, number);

-- Steps from a found candidate to a simpler one, and attacks on it: what was tried, what it kept of T. Append-only.
CREATE TABLE candidate_refinements (
    run            text NOT NULL,
    parent_id      text NOT NULL,
    candidate_id   text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('ablation', 'attack')),
    expression     text NOT NULL,
    t_before       double precision NOT NULL,
    t_after        double precision NOT NULL,
    taken          boolean NOT NULL,
    PRIMARY KEY (run, parent_id, candidate_id, kind)
);

-- The life of candidates: each state with the number that decided and its bound. Append-only; the newest row is in force.
CREATE TABLE candidate_life (
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    run            text NOT NULL,
    night          text NOT NULL,
    state          text NOT NULL CHECK (state IN ('proposed', 'refused', 'screened')),
    check_name     text NOT NULL,
    value          double precision NOT NULL,
    bound          double precision NOT NULL,
    reason         text NOT NULL,
    body           jsonb NOT NULL,                         -- proposed: specification, T, days, folds, size
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, candidate_id, run, state)
);
CREATE INDEX candidate_life_newest ON candidate_life (branch, night DESC, candidate_id);

-- Forward days of candidates that may enter: what the day gave, the gate after it. Append-only; the newest row is in force.
CREATE TABLE candidate_days (
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    day            text NOT NULL,                          -- on which the longest horizon of its windows matured
    gain_bps       double precision NOT NULL,
    weight         double precision NOT NULL,
    spoken         integer NOT NULL CHECK (spoken >= 0),
    variance       double precision NOT NULL CHECK (variance > 0),
    sums           jsonb NOT NULL,
    e_value        double precision NOT NULL,
    peak           double precision NOT NULL,
    days           integer NOT NULL CHECK (days >= 1),
    all_spoken     integer NOT NULL,
    state          text NOT NULL CHECK (state IN ('shadow', 'shown', 'not_shown')),
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, candidate_id, day)
);

-- Detectors that candidates became, in force by day; the newest judgement for a day holds. Append-only.
CREATE TABLE detector_sets (
    branch         text NOT NULL,
    from_day       text NOT NULL,
    judged_day     text NOT NULL CHECK (judged_day < from_day),
    set_ver        text NOT NULL,
    texts          jsonb NOT NULL,                         -- specifications, in the order of their settlement
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, from_day, judged_day, set_ver)
);

-- What became of candidates after their days to come: settled, renewed, archived, vetoed, with the number that decided. Append-only.
CREATE TABLE candidate_steps (
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    day            text NOT NULL,                          -- judged on what was known with it
    step           text NOT NULL CHECK (step IN ('settled', 'refused', 'renewed', 'archived', 'vetoed')),
    check_name     text NOT NULL,
    value          double precision NOT NULL,
    bound          double precision NOT NULL,
    reason         text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, candidate_id, day, step)
);

-- Why proposals of a model were refused; the codes are counted in later prompts. Append-only.
CREATE TABLE llm_refusals (
    branch         text NOT NULL,
    run            text NOT NULL,
    request_hash   text NOT NULL,
    spec           integer NOT NULL CHECK (spec >= 0),     -- which of the answer; 0: the answer
    night          text NOT NULL,                          -- last day that the run saw
    code           text NOT NULL CHECK (code <> ''),
    words          text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, run, request_hash, spec)
);
CREATE INDEX llm_refusals_newest ON llm_refusals (branch, night DESC);

-- A lesson as a sentence, for people alone: nothing reads it back. Append-only.
CREATE TABLE lesson_texts (
    branch         text NOT NULL,
    lesson_id      text NOT NULL,
    facts_hash     text NOT NULL,                          -- of the facts as they are shown
    author         text NOT NULL CHECK (author IN ('template', 'model')),
    model          text NOT NULL,                          -- as it names itself; '' for the template
    text           text NOT NULL CHECK (text <> '' AND length(text) <= 600),
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, lesson_id, facts_hash, author)
);

-- Opinions of a model or a person on a candidate: shown beside it, and read by no judgement. Append-only.
CREATE TABLE attachments (
    attachment_id  text PRIMARY KEY,
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    origin         text NOT NULL CHECK (origin IN ('model', 'person')),
    author         text NOT NULL CHECK (author <> '' AND length(author) <= 128),
    text           text NOT NULL CHECK (text <> '' AND length(text) <= 600),
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attachments_candidate ON attachments (branch, candidate_id, created_at DESC);

-- Beliefs: versions (content-addressed), what each changed, and which is in force when.
CREATE TABLE active_priors (
    branch             text NOT NULL,
    priors_ver         text NOT NULL,
    day                text NOT NULL,                      -- learning day that made it
    effective_from_ms  bigint NOT NULL,
    parent_priors_ver  text NOT NULL,
    payload            text NOT NULL,                      -- canonical JSON of the version
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, priors_ver)
);
CREATE VIEW sig_priors AS SELECT * FROM active_priors;

CREATE TABLE active_priors_snapshot (
    branch         text NOT NULL,
    priors_ver     text NOT NULL,
    before         jsonb NOT NULL,                         -- braids in force before, by braid_id
    after          jsonb NOT NULL,
    diff           jsonb NOT NULL,                         -- added, removed, changed
    PRIMARY KEY (branch, priors_ver)
);

CREATE TABLE priors_in_force (
    branch             text NOT NULL,
    day                text NOT NULL,                      -- UTC day of effective_from_ms
    priors_ver         text NOT NULL,
    effective_from_ms  bigint NOT NULL,
    event_id           text NOT NULL,                      -- the PRIOR_PATCH that brought it
    postponed_to_ms    bigint,                             -- it came late: in force nowhere, its beliefs from then on
    PRIMARY KEY (branch, effective_from_ms),
    FOREIGN KEY (branch, priors_ver) REFERENCES active_priors (branch, priors_ver)
);
CREATE INDEX priors_in_force_day ON priors_in_force (branch, day);

-- Which stage of which day is finished, with what content: written last, in the transaction of the stage's rows.
CREATE TABLE day_commits (
    branch         text NOT NULL,
    day            text NOT NULL,
    stage          text NOT NULL,
    content_hash   text NOT NULL,
    rows           bigint NOT NULL,
    inputs_hash    text NOT NULL,
    notes          jsonb NOT NULL DEFAULT '{}',
    committed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, day, stage)
);
CREATE INDEX day_commits_stage ON day_commits (branch, stage, day);

-- The last day of a branch whose outside rows retention let go: no stage makes it or an earlier one again.
CREATE TABLE forgotten_days (
    branch         text PRIMARY KEY,
    day            text NOT NULL                           -- YYYY-MM-DD
);

-- Blocks of symbols of a day's stage that are finished, before the day is: the first content wins, and the day's commit
-- takes their rows away.
CREATE TABLE part_commits (
    branch         text NOT NULL,
    day            text NOT NULL,
    stage          text NOT NULL,
    block          text NOT NULL,                          -- its number and of how many
    inputs_hash    text NOT NULL,                          -- of code and all that it read
    content_hash   text NOT NULL,
    rows           bigint NOT NULL,
    notes          jsonb NOT NULL DEFAULT '{}',
    committed_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, day, stage, block, inputs_hash)
);

-- KPIs of every curator by night: what each is judged by over 60 learning days. A night that is decided again has its own.
CREATE TABLE curator_kpis (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- learning day of the night
    module         text NOT NULL CHECK (module IN ('sig', 'dm', 'tr')),
    curator        text NOT NULL CHECK (curator <> ''),    -- its name, or people
    kpi            text NOT NULL CHECK (kpi <> ''),        -- in words, with its unit
    value          double precision NOT NULL,
    low            double precision,                       -- of its 95 % interval over days; null without one
    high           double precision,
    n              bigint NOT NULL,                        -- cases that it rests on
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, day, module, curator, kpi)
);
CREATE VIEW v_curator_kpis AS
SELECT k.branch, k.day, k.module, k.curator, k.kpi, k.value, k.low, k.high, k.n
FROM curator_kpis k
WHERE k.day = (SELECT max(c.day) FROM day_commits c WHERE c.branch = k.branch AND c.stage = 'governance_acts');

-- The tape's catalogue.
CREATE TABLE tape_segments (
    tape           text NOT NULL,
    path           text NOT NULL,                          -- relative to the tape's folder
    day            text NOT NULL,
    sha256         text NOT NULL,
    lines          bigint NOT NULL,
    bytes          bigint NOT NULL,
    first_recv_ns  bigint NOT NULL,
    last_recv_ns   bigint NOT NULL,
    counts         jsonb NOT NULL,
    gaps           jsonb NOT NULL,
    state          text NOT NULL CHECK (state IN ('closed', 'pruned', 'damaged')),
    PRIMARY KEY (tape, path)
);
CREATE INDEX tape_segments_day ON tape_segments (tape, day);

CREATE FUNCTION tape_segments_hint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('lotus_tape', NEW.tape || '/' || NEW.day);
    RETURN NULL;
END $$;
CREATE TRIGGER tape_segments_hint AFTER INSERT ON tape_segments FOR EACH ROW EXECUTE FUNCTION tape_segments_hint();

CREATE TABLE tape_gaps (
    tape           text NOT NULL,
    day            text NOT NULL,
    asset          text NOT NULL,
    start_ms       bigint NOT NULL,
    end_ms         bigint NOT NULL,
    reason         text NOT NULL,
    PRIMARY KEY (tape, day, asset, start_ms)
);

CREATE TABLE quarantine (
    tape           text NOT NULL,
    day            text NOT NULL,
    seq            bigint NOT NULL,
    kind           text NOT NULL,
    detail         text NOT NULL,
    sample         text NOT NULL,                          -- the line's beginning
    PRIMARY KEY (tape, day, seq, kind)
);

-- The daemon's own log; for a day on which it ran, this is the truth of what was published. A replay of a recording
-- writes the same rows and is nobody's truth: only runs that are not `replayed` count.
CREATE TABLE live_runs (
    run_id         text PRIMARY KEY,
    branch         text NOT NULL,
    tape           text NOT NULL,                          -- the tape that it records
    replayed       boolean NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE live_events (
    run_id            text NOT NULL,
    day               text NOT NULL,
    event_id         text NOT NULL,
    branch           text NOT NULL,
    detector_id      text NOT NULL,
    spec_version     integer NOT NULL,
    asset            text NOT NULL,
    window_start_ms  bigint NOT NULL,
    window_end_ms    bigint NOT NULL,
    close_recv_ns    bigint NOT NULL,
    close_seq        bigint NOT NULL,
    horizon_s        integer NOT NULL,
    s                double precision NOT NULL,
    uncert           double precision NOT NULL,
    kairos           double precision NOT NULL,
    entrain          double precision NOT NULL,
    mx_evidence      double precision NOT NULL,
    mx_confirm       double precision NOT NULL,
    kr_hbar          double precision NOT NULL,
    kr_coherence     double precision NOT NULL,
    kr_phi           double precision NOT NULL,
    kr_theta         double precision NOT NULL,
    kr_rho           double precision NOT NULL,
    kr_emergence     double precision NOT NULL,
    kr_novelty       double precision NOT NULL,
    sq_score         double precision NOT NULL,
    theta1           double precision NOT NULL,
    theta2           double precision NOT NULL,
    phi_mult         double precision NOT NULL,
    crowd_share      double precision NOT NULL,
    kr_delta_phi     double precision NOT NULL,
    det_sigma        double precision NOT NULL,
    ln_sigma_0       double precision NOT NULL,
    ln_sigma_tilde   double precision NOT NULL,
    tau_pub          double precision NOT NULL,
    temperature      double precision NOT NULL,
    u0               double precision NOT NULL,
    u                double precision NOT NULL,
    pi               double precision NOT NULL,
    draw             double precision NOT NULL,
    veto             bigint NOT NULL,
    eligible         boolean NOT NULL,
    published        boolean NOT NULL,
    fired            bigint NOT NULL,
    priors_ver       text NOT NULL,
    tables_ver       text NOT NULL,
    b_vol            smallint NOT NULL,
    b_hbar           smallint NOT NULL,
    b_mx             smallint NOT NULL,
    b_depth_slope    smallint NOT NULL,
    b_imbalance      smallint NOT NULL,
    b_oi             smallint NOT NULL,
    b_funding        smallint NOT NULL,
    b_basis          smallint NOT NULL,
    b_spread         smallint NOT NULL,
    b_session        smallint NOT NULL,
    b_flow           smallint NOT NULL,
    b_trend          smallint NOT NULL,
    x_vol            double precision NOT NULL,
    x_hbar           double precision NOT NULL,
    x_mx             double precision NOT NULL,
    x_depth_slope    double precision NOT NULL,
    x_imbalance      double precision NOT NULL,
    x_oi             double precision NOT NULL,
    x_funding        double precision NOT NULL,
    x_basis          double precision NOT NULL,
    x_spread         double precision NOT NULL,
    x_session        double precision NOT NULL,
    x_flow           double precision NOT NULL,
    x_trend          double precision NOT NULL,
    cond_key         bigint NOT NULL,
    mid2             bigint NOT NULL,
    spread_bps       double precision NOT NULL,
    rv_bps           double precision NOT NULL,
    source           text NOT NULL,
    gate             double precision NOT NULL DEFAULT 0,   -- of earned trust, logit
    PRIMARY KEY (run_id, event_id)
);
CREATE INDEX live_events_day ON live_events (branch, day);
CREATE INDEX live_events_published ON live_events (branch, window_end_ms DESC) WHERE published;

-- The registry of micro-experts: every spec that ran, what it counted in the fusion, and how reliable it has been.
CREATE TABLE dsi_experts (
    expert_id       text NOT NULL,
    spec_id         text NOT NULL,                          -- hash of the spec
    version         integer NOT NULL,
    kind            text NOT NULL,
    spec            jsonb NOT NULL,
    place           integer NOT NULL,                       -- bit of `fired`
    weight          double precision NOT NULL,              -- of z in micro_llr
    vote            double precision NOT NULL,              -- of f in mx_confirm
    status          text NOT NULL CHECK (status IN ('active', 'off')),
    successes       double precision,                       -- Beta posterior of the label, null until it is judged
    failures        double precision,
    reliability     double precision CHECK (reliability BETWEEN 0 AND 1),
    reliability_low double precision CHECK (reliability_low BETWEEN 0 AND 1),
    reliability_high double precision CHECK (reliability_high BETWEEN 0 AND 1),
    judged_day      text,
    PRIMARY KEY (expert_id, spec_id)
);

-- Weekly judgement of micro-experts; what of it came in force is in dsi_expert_sets.
CREATE TABLE dsi_expert_stats (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday of the judgement, of the seven days before it
    expert_id      text NOT NULL,
    asset          text NOT NULL,                          -- '' = all assets
    spec_id        text NOT NULL,
    calls          integer NOT NULL,                       -- decided ones
    reliability    double precision NOT NULL CHECK (reliability BETWEEN 0 AND 1),  -- 1/2 = calls earn nothing
    reliability_low  double precision NOT NULL CHECK (reliability_low BETWEEN 0 AND 1),
    reliability_high double precision NOT NULL CHECK (reliability_high BETWEEN 0 AND 1),
    below_floor    integer NOT NULL,                       -- evaluations in turn
    twin           text NOT NULL,                          -- the more reliable expert that says the same, or ''
    weight         double precision NOT NULL,              -- in force
    weight_proposed double precision NOT NULL,
    status_proposed text NOT NULL CHECK (status_proposed IN ('active', 'off')),
    proposal       text NOT NULL,                          -- version of the set that came of it
    PRIMARY KEY (branch, day, expert_id, asset)
);

-- Settings of the experts that learning put in force on a branch: the latest from_day up to a day holds on that day.
CREATE TABLE dsi_expert_sets (
    branch         text NOT NULL,
    from_day       text NOT NULL,                          -- first day scored with them
    judged_day     text NOT NULL,                          -- fitted on days before it
    set_ver        text NOT NULL,                          -- hash of everything the set says
    settings       text NOT NULL,                          -- canonical JSON over the shipped set that it names
    PRIMARY KEY (branch, from_day),
    CHECK (judged_day < from_day)
);

-- What experts cost: nanoseconds a frame, measured on a fixture; once a week and machine, never measured again for it.
CREATE TABLE dsi_expert_costs (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    expert_id      text NOT NULL,
    spec_id        text NOT NULL,
    nodes          integer NOT NULL,                       -- of its expressions in the program of all experts
    cost_ns        double precision NOT NULL CHECK (cost_ns >= 0),      -- its Shapley share of all nodes, ns a frame
    marginal_ns    double precision NOT NULL CHECK (marginal_ns >= 0),  -- of nodes that nobody else uses, ns a frame
    latency_p50_ns double precision NOT NULL CHECK (latency_p50_ns >= 0),  -- alone, over the runs
    latency_p95_ns double precision NOT NULL CHECK (latency_p95_ns >= 0),
    runs           integer NOT NULL,
    PRIMARY KEY (branch, day, expert_id)
);

-- Credit of micro-experts over the sampled blocks of the week before a Monday, by detector and coin ('' = all).
CREATE TABLE expert_credit (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    detector_id    text NOT NULL,
    asset          text NOT NULL,
    expert_id      text NOT NULL,
    votes          boolean NOT NULL,                       -- else on the bench: unmasked
    weight         double precision NOT NULL,
    windows        bigint NOT NULL,
    days           integer NOT NULL,
    delta_sigma    double precision NOT NULL,              -- median Sigma with it less Sigma without
    delta_value    double precision NOT NULL,              -- bps a learning day
    low            double precision,                       -- 95 %, null below five days
    high           double precision,
    pooled         double precision,                       -- drawn towards its other cells
    pooled_error   double precision,
    shapley        double precision,                       -- its share of v(all) - v(none), bps a learning day
    shapley_error  double precision,
    PRIMARY KEY (branch, day, detector_id, asset, expert_id)
);
CREATE INDEX expert_credit_of_expert ON expert_credit (branch, expert_id, day);

-- The same of braids in force, by detector.
CREATE TABLE braid_credit (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    detector_id    text NOT NULL,
    braid_id       text NOT NULL,
    windows        bigint NOT NULL,                        -- whose propensity it moved
    days           integer NOT NULL,
    delta_sigma    double precision NOT NULL,              -- median propensity with it less without, where it moved
    delta_value    double precision NOT NULL,              -- bps a learning day
    low            double precision,
    high           double precision,
    shapley        double precision,
    shapley_error  double precision,
    PRIMARY KEY (branch, day, braid_id)
);

-- What braids were worth after people spoke about them, by day: a braid as it acted, or as it would have. From Mondays.
CREATE TABLE review_values (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    module         text NOT NULL CHECK (module IN ('sig', 'dm', 'tr')),
    act_id         text NOT NULL,                          -- of braid_reviews of that module
    of_day         text NOT NULL,                          -- learning day that was looked at
    windows        bigint NOT NULL,                        -- of the rule that it moved, or plans that tried its knob
    value_bps      double precision NOT NULL,              -- sum over them of what the braid adds
    PRIMARY KEY (branch, module, act_id, of_day)
);
CREATE INDEX review_values_day ON review_values (branch, day);

-- What was given compute from a Monday on, and with which probability: what makes arms and allocator comparable later.
CREATE TABLE compute_allocations (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the Monday
    kind           text NOT NULL CHECK (kind IN ('expert', 'trial', 'job')),
    arm            text NOT NULL,
    q              double precision NOT NULL CHECK (q BETWEEN 0 AND 1),  -- probability of being drawn
    drawn          boolean NOT NULL,
    cost           double precision,                       -- ns a frame, CPU seconds of a job; null: not measured
    quota          double precision NOT NULL,              -- of its kind, in the unit of cost
    context        jsonb NOT NULL,
    reward         double precision,                       -- of the week before, where it was computed
    from_day       text NOT NULL,                          -- first day in force
    PRIMARY KEY (branch, day, kind, arm)
);

-- Who helped each detector, over all weeks.
CREATE VIEW v_dsi_contrib AS
SELECT branch, detector_id, expert_id, avg(delta_sigma) AS d_sigma_avg, count(*) AS n, avg(delta_value) AS d_value_avg,
       avg(shapley) AS shapley_avg
FROM expert_credit WHERE asset = '' AND detector_id <> '' GROUP BY branch, detector_id, expert_id;

-- Every expert by week: how often it was right, what it did to scores and what it was worth.
CREATE VIEW v_dsi_expert_stats AS
SELECT c.branch, c.day AS week, c.expert_id, s.calls AS samples, s.reliability, c.votes, c.weight,
       avg(d.delta_sigma) AS delta_sigma_avg,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY d.delta_sigma) AS delta_sigma_p50,
       c.delta_value, c.low, c.high, c.pooled, c.shapley, c.shapley_error
FROM expert_credit c
JOIN expert_credit d ON d.branch = c.branch AND d.day = c.day AND d.expert_id = c.expert_id
    AND d.detector_id <> '' AND d.asset = ''
LEFT JOIN dsi_expert_stats s ON s.branch = c.branch AND s.day = c.day AND s.expert_id = c.expert_id AND s.asset = ''
WHERE c.detector_id = '' AND c.asset = ''
GROUP BY c.branch, c.day, c.expert_id, s.calls, s.reliability, c.votes, c.weight, c.delta_value, c.low, c.high,
         c.pooled, c.shapley, c.shapley_error;

-- The ledger's three odd fields by module and day, from evidence of days up to that day; copied to the atlas.
CREATE TABLE module_numbers (
    branch                 text NOT NULL,
    day                    text NOT NULL,                  -- last day of the evidence
    module                 text NOT NULL,
    resonance_frequency    double precision,               -- cycles per hour
    resonance_power        double precision CHECK (resonance_power BETWEEN 0 AND 1),
    resonance_false_alarm  double precision CHECK (resonance_false_alarm BETWEEN 0 AND 1),
    resonance_n            integer NOT NULL,
    resonance_reason       text NOT NULL,                  -- why there is none, or ''
    observer_effect_bps    double precision,               -- published minus held out
    observer_low_bps       double precision,
    observer_high_bps      double precision,
    observer_published     integer NOT NULL,
    observer_held_out      integer NOT NULL,
    observer_blocks        integer NOT NULL,
    observer_reason        text NOT NULL,
    entangled_with         text,
    entangled_lag          integer,                        -- steps by which this module leads
    entangled_bits         double precision,
    entangled_null95       double precision,
    entangled_chance       double precision CHECK (entangled_chance BETWEEN 0 AND 1),
    entangled_n            integer NOT NULL,
    entangled_reason       text NOT NULL,
    PRIMARY KEY (branch, day, module)
);

-- The signal bus: validated payloads of published windows (lotus/modules/schemas), as canonical JSON.
CREATE TABLE live_signals (
    run_id         text NOT NULL,
    event_id       text NOT NULL,
    schema_ver     text NOT NULL,
    time_ms        bigint NOT NULL,                        -- end of the window
    payload        text NOT NULL,
    PRIMARY KEY (run_id, event_id, schema_ver),
    FOREIGN KEY (run_id, event_id) REFERENCES live_events (run_id, event_id)
);
CREATE INDEX live_signals_time ON live_signals (schema_ver, time_ms);

CREATE TABLE live_log (
    run_id         text NOT NULL,
    seq            bigint NOT NULL,
    time_ms        bigint NOT NULL,                        -- event time
    kind           text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (run_id, seq)
);

CREATE TABLE live_orders (
    run_id         text NOT NULL,
    order_id       text NOT NULL,
    event_id       text NOT NULL,
    asset          text NOT NULL,
    time_ms        bigint NOT NULL,
    state          text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (run_id, order_id)
);
CREATE INDEX live_orders_event ON live_orders (event_id);

CREATE TABLE live_fills (
    run_id         text NOT NULL,
    fill_id        text NOT NULL,
    order_id       text NOT NULL,
    asset          text NOT NULL,
    time_ms        bigint NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (run_id, fill_id),
    FOREIGN KEY (run_id, order_id) REFERENCES live_orders (run_id, order_id)
);

-- Commands to the daemon, taken once.
CREATE TABLE control (
    command_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    command        text NOT NULL,
    body           jsonb NOT NULL DEFAULT '{}',
    created_at     timestamptz NOT NULL DEFAULT now(),
    taken_at       timestamptz,
    done_at        timestamptz,
    result         jsonb
);
CREATE INDEX control_waiting ON control (command_id) WHERE taken_at IS NULL;

-- include: common/module.sql

-- Who publishes for a shard of the universe: one owner at a time, and a number that grows with every owner.
CREATE TABLE shard_lease (
    shard          text PRIMARY KEY,
    owner          text NOT NULL,
    epoch          bigint NOT NULL,                        -- grows by one with every owner
    until          timestamptz NOT NULL                    -- by this server's clock; later nobody holds it
);

-- A transaction that names its shard and epoch goes on only while they hold the lease. The share lock lasts to its end, so
-- no other owner begins in between.
CREATE FUNCTION hold_epoch(of_shard text, of_epoch bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held shard_lease;
BEGIN
    SELECT * INTO held FROM shard_lease WHERE shard = of_shard FOR SHARE;
    IF held.epoch = of_epoch AND held.until > clock_timestamp() THEN
        RETURN;
    END IF;
    RAISE EXCEPTION 'epoch % of shard % is stale: epoch % of % until %',
        of_epoch, of_shard, held.epoch, held.owner, held.until
        USING ERRCODE = 'LT001', HINT = 'another owner took the shard, or its lease was not renewed in time';
END $$;

-- What each shard's coins closed, for what the others score next: a few minutes of windows.
CREATE TABLE shard_windows (
    branch         text NOT NULL,
    window_end_ms  bigint NOT NULL,
    asset          text NOT NULL,
    phase_cos      double precision,
    phase_sin      double precision,
    ups            integer NOT NULL,                       -- detectors that signalled up
    downs          integer NOT NULL,
    PRIMARY KEY (branch, window_end_ms, asset)
);

-- What calls of a model may cost: the worst is reserved before a call, and settled after it. A request that was sent is
-- not sent again: a reservation that is not released keeps its request for good.
CREATE TABLE llm_budget (
    reservation      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_hash     text NOT NULL,
    branch           text NOT NULL,
    run              text NOT NULL,
    worst_tokens     bigint NOT NULL CHECK (worst_tokens >= 0),
    worst_micro_usd  bigint NOT NULL CHECK (worst_micro_usd >= 0),
    tokens           bigint,                               -- unknown until settled
    micro_usd        bigint,
    released         boolean NOT NULL DEFAULT false,       -- nothing was paid: the request may be sent again
    reserved_at      timestamptz NOT NULL DEFAULT now(),
    settled_at       timestamptz
);
CREATE UNIQUE INDEX llm_budget_request ON llm_budget (request_hash) WHERE NOT released;
CREATE INDEX llm_budget_newest ON llm_budget (reserved_at DESC);

-- Calls of a model as they ended. The bytes are in the lake. Append-only.
CREATE TABLE llm_calls (
    call_id          text PRIMARY KEY,
    request_hash     text NOT NULL,
    branch           text NOT NULL,
    run              text NOT NULL,
    mode             text NOT NULL CHECK (mode IN ('live', 'record', 'replay')),
    model_asked      text NOT NULL,
    model            text NOT NULL,                        -- as it names itself; '' where nothing was answered
    knows_until      text NOT NULL,                        -- last day that it can have read about; '' for not known
    tokens_in        bigint NOT NULL,
    tokens_out       bigint NOT NULL,
    usage_told       boolean NOT NULL,                     -- by the server; else from bytes
    micro_usd        bigint NOT NULL,
    took_ms          double precision NOT NULL,
    verdict          text NOT NULL,
    called_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX llm_calls_newest ON llm_calls (branch, called_at DESC);

-- Strands: what the module thought and did, one row per step of a lifecycle.
CREATE TABLE sig_strand (
    id             text PRIMARY KEY,
    lifecycle_id   text NOT NULL,
    parent_id      text,
    module         text NOT NULL DEFAULT 'sig',
    kind           text NOT NULL,
    symbol         text,
    timeframe      text,
    session_bucket text,
    regime         text,
    detector_id      text,
    horizon_s        integer,
    sig_sigma        double precision,
    sq               double precision,
    mx               double precision,
    gates            jsonb,
    outcomes         jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sig_strand_lifecycle ON sig_strand (lifecycle_id);

-- What is in force now, for readers: views of the rows above, always as true as those.
CREATE VIEW v_braids_active AS
SELECT branch, braid_id, braid_type, detector_id, lesson_id, grade, day, effective_from_ms, expires_at_ms,
       body -> 'parents' AS parents, body -> 'rule' AS rule, body -> 'patch' AS patch
FROM braids WHERE state = 'active';

CREATE VIEW v_lessons_active AS
SELECT l.branch, l.lesson_id, l.day, l.detector_id, l.horizon_s, l.grade, l.uplift_bps, l.lcb_bps,
       b.braid_id, b.effective_from_ms, b.expires_at_ms
FROM v_braids_active b JOIN lessons l ON l.branch = b.branch AND l.lesson_id = b.lesson_id;

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

CREATE VIEW v_effective_priors AS
SELECT f.branch, f.priors_ver, f.effective_from_ms,
       lead(f.effective_from_ms) OVER (PARTITION BY f.branch ORDER BY f.effective_from_ms) AS until_ms,
       p.parent_priors_ver, f.event_id, p.payload::jsonb -> 'braids' AS braids
FROM priors_in_force f JOIN active_priors p ON p.branch = f.branch AND p.priors_ver = f.priors_ver
WHERE f.postponed_to_ms IS NULL;

-- Lists of segments by the day from which they hold: flags of each coin, made on a Monday. Append-only; the newest holds.
CREATE TABLE segments (
    branch         text NOT NULL,
    from_day       text NOT NULL,
    judged_day     text NOT NULL,                          -- the Monday whose days it was made of
    set_ver        text NOT NULL,                          -- hash of coins and flags
    origin         text NOT NULL CHECK (origin IN ('distilled', 'shipped')),
    texts          jsonb NOT NULL,                         -- flags by coin
    agreement      double precision NOT NULL CHECK (agreement BETWEEN 0 AND 1),  -- of the distilled list with the states
    body           jsonb NOT NULL,                         -- states, criterion by count, share of each label
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, from_day)
);

-- How published windows were executed at a venue, as the trader told it; one row per window, written once.
CREATE TABLE executions (
    branch         text NOT NULL,
    event_id       text NOT NULL,
    detector_id    text NOT NULL,
    asset          text NOT NULL,
    window_end_ms  bigint NOT NULL,
    venue          text NOT NULL,
    outcome        text NOT NULL CHECK (outcome IN ('closed', 'unfilled', 'refused')),
    payoff_bps     double precision NOT NULL,              -- net of fees and funding, of the planned notional
    body           jsonb NOT NULL,                         -- fills and their costs, refusals
    told_by        text NOT NULL,                          -- the EXEC_REPORT
    void           text NOT NULL DEFAULT '',               -- why it is no evidence; '' where the venue answered
    PRIMARY KEY (branch, event_id)
);
CREATE INDEX executions_by_time ON executions (branch, window_end_ms);
CREATE INDEX executions_by_event ON executions (event_id);

-- include: common/parts/strands_view.sql
