-- Database of the module tr (trader).

-- include: common/module.sql

-- Strands: what the module thought and did, one row per step of a lifecycle.
CREATE TABLE tr_strand (
    id             text PRIMARY KEY,
    lifecycle_id   text NOT NULL,
    parent_id      text,
    module         text NOT NULL DEFAULT 'tr',
    kind           text NOT NULL,
    symbol         text,
    timeframe      text,
    session_bucket text,
    regime         text,
    decision_id      text,
    order_spec       jsonb,
    route_hint       text,
    tr_predict       jsonb,
    fills            jsonb,
    exec_metrics     jsonb,
    position_data    jsonb,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tr_strand_lifecycle ON tr_strand (lifecycle_id);

-- include: common/parts/braids.sql

-- include: common/parts/knob_beliefs.sql

-- include: common/parts/reviews.sql

-- Plans with the whole state of their execution, and what venues said, for readers and for the start after a crash.
CREATE TABLE tr_plans (
    plan_id        text PRIMARY KEY,
    branch         text NOT NULL,
    decision_id    text NOT NULL,
    lifecycle_id   text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('probe', 'book')),
    coin           text NOT NULL,
    venue          text NOT NULL,
    stage          text NOT NULL CHECK (stage IN ('accepted', 'working', 'done', 'refused')),
    created_ms     bigint NOT NULL,                        -- event time
    plan           jsonb NOT NULL,
    reference      jsonb NOT NULL,                         -- the window it measures, and prices at the decision
    execution      jsonb NOT NULL,                         -- state of the executor; {} before its first step
    updated_at     timestamptz NOT NULL DEFAULT now(),
    will_hold      numeric,                                -- size once all under way is over; null before its first step
    ceiling        numeric,                                -- most that it may hold, set by later decisions of the book
    exit_at_ms     bigint,                                 -- exit time, moved on by later decisions of the book
    session        text NOT NULL DEFAULT '',               -- run whose feed its venue lives on; '' outlives runs
    moved_to       text                                    -- plan that took its place at another venue
);
CREATE INDEX tr_plans_open ON tr_plans (venue, created_ms) WHERE stage IN ('accepted', 'working');
CREATE INDEX tr_plans_book ON tr_plans (branch, created_ms) WHERE kind = 'book';
CREATE INDEX tr_plans_by_lifecycle ON tr_plans (lifecycle_id);

CREATE TABLE tr_orders (
    client_id      text PRIMARY KEY,                       -- 0x and 32 hexadecimal characters, made of plan, purpose, index
    plan_id        text NOT NULL,
    venue          text NOT NULL,
    coin           text NOT NULL,
    purpose        text NOT NULL,
    state          text NOT NULL,
    sent_ms        bigint NOT NULL,
    body           jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tr_orders_by_plan ON tr_orders (plan_id);

CREATE TABLE tr_fills (
    venue          text NOT NULL,
    fill_id        text NOT NULL,
    client_id      text NOT NULL,
    coin           text NOT NULL,
    time_ms        bigint NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (venue, fill_id, client_id)
);
CREATE INDEX tr_fills_by_order ON tr_fills (client_id);
CREATE INDEX tr_fills_by_name ON tr_fills (fill_id);

CREATE TABLE tr_paper_account (
    account        text PRIMARY KEY,
    state          jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    marks          jsonb NOT NULL DEFAULT '{}'             -- equity at the mark, at the mids, at the far side
);

CREATE TABLE tr_paper_orders (
    account        text NOT NULL,
    client_id      text NOT NULL,
    is_final       boolean NOT NULL,
    changed_ms     bigint NOT NULL,                        -- event time
    body           jsonb NOT NULL,
    PRIMARY KEY (account, client_id)
);
CREATE INDEX tr_paper_orders_live ON tr_paper_orders (account, changed_ms) WHERE NOT is_final;

CREATE TABLE tr_paper_fills (
    account        text NOT NULL,
    number         bigint NOT NULL,
    time_ms        bigint NOT NULL,
    body           jsonb NOT NULL,
    PRIMARY KEY (account, number)
);

CREATE TABLE tr_funding_paid (
    venue          text NOT NULL,
    account        text NOT NULL,
    coin           text NOT NULL,
    time_ms        bigint NOT NULL,                        -- the full hour
    plan_id        text NOT NULL,
    usd            double precision NOT NULL,              -- the plan's part; paid is positive
    body           jsonb NOT NULL,
    PRIMARY KEY (venue, account, coin, time_ms, plan_id)
);
CREATE INDEX tr_funding_paid_by_plan ON tr_funding_paid (plan_id);

CREATE TABLE tr_trigger_events (
    plan_id        text NOT NULL,
    seq            integer NOT NULL,                       -- of the watcher, from 1
    status         text NOT NULL CHECK (status IN ('armed', 'fired', 'expired', 'rejected')),
    time_ms        bigint NOT NULL,                        -- end of the frame
    body           jsonb NOT NULL,
    PRIMARY KEY (plan_id, seq)
);

-- include: common/parts/strands_view.sql
