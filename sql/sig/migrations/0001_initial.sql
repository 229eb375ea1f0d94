-- Database of the module sig (alpha detector): events, outcomes, lessons, braids, priors, tape catalogue, live log.
-- Not known is NaN in measured columns, as in the lake. `fired` and `cond_key` are unsigned 64-bit numbers kept in
-- two's complement. Days are text YYYY-MM-DD (UTC); times are milliseconds or nanoseconds of event time.

-- Mirrors of lake tables, replaced whole per branch and day.
CREATE TABLE signal_events (
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
    PRIMARY KEY (event_id)
);
CREATE INDEX signal_events_day ON signal_events (branch, day);

CREATE TABLE signal_eval (
    branch         text NOT NULL,
    day            text NOT NULL,                          -- the day on which the longest horizon matured
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
    PRIMARY KEY (event_id)
);
CREATE INDEX signal_eval_day ON signal_eval (branch, day);

CREATE TABLE signal_eval_horizons (
    branch         text NOT NULL,
    day            text NOT NULL,
    event_id       text NOT NULL,
    horizon_s      integer NOT NULL,
    fwd_ret_bps    double precision NOT NULL,
    payoff_p       double precision NOT NULL,
    hit            double precision NOT NULL,
    mfe            double precision NOT NULL,
    mae            double precision NOT NULL,
    PRIMARY KEY (event_id, horizon_s)
);
CREATE INDEX signal_eval_horizons_day ON signal_eval_horizons (branch, day);

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
    PRIMARY KEY (branch, day, lesson_id)
);
CREATE INDEX lessons_by_id ON lessons (lesson_id);

-- What a night used up and saw: trials charged, critical value, audits, refusals of families.
CREATE TABLE experiments (
    branch         text NOT NULL,
    day            text NOT NULL,
    kind           text NOT NULL,
    name           text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, kind, name)
);

CREATE TABLE braid_history (
    branch         text NOT NULL,
    day            text NOT NULL,
    braid_id       text NOT NULL,
    ordinal        integer NOT NULL DEFAULT 0,             -- several changes on one day
    old_state      text NOT NULL,
    new_state      text NOT NULL CHECK (new_state IN ('proposed', 'active', 'sunset', 'archived')),
    reason         text NOT NULL,
    priors_before  text NOT NULL,
    priors_after   text NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (branch, day, braid_id, ordinal)
);
CREATE INDEX braid_history_by_id ON braid_history (braid_id);
CREATE VIEW braids AS
SELECT DISTINCT ON (branch, braid_id)
    branch, braid_id, day, ordinal, new_state AS state, reason,
    body ->> 'braid_type' AS braid_type, body ->> 'detector_id' AS detector_id, body ->> 'lesson_id' AS lesson_id,
    body ->> 'grade' AS grade, (body ->> 'effective_from_ms')::bigint AS effective_from_ms,
    (body ->> 'expires_at_ms')::bigint AS expires_at_ms, body
FROM braid_history ORDER BY branch, braid_id, day DESC, ordinal DESC;
CREATE VIEW sig_braid AS SELECT * FROM braids;

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
    PRIMARY KEY (run_id, event_id)
);
CREATE INDEX live_events_day ON live_events (branch, day);

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

-- include: common/parts/messages.sql

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
    kr               double precision,
    mx               double precision,
    gates            jsonb,
    outcomes         jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX sig_strand_lifecycle ON sig_strand (lifecycle_id);
