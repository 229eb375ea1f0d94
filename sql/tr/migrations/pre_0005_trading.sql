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
    updated_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX tr_plans_open ON tr_plans (venue, created_ms) WHERE stage IN ('accepted', 'working');

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
    PRIMARY KEY (venue, fill_id)
);
CREATE INDEX tr_fills_by_order ON tr_fills (client_id);

CREATE TABLE tr_funding (
    venue          text NOT NULL,
    coin           text NOT NULL,
    time_ms        bigint NOT NULL,
    usd            double precision NOT NULL,              -- paid is positive
    body           jsonb NOT NULL,
    PRIMARY KEY (venue, coin, time_ms)
);

CREATE TABLE tr_paper_account (
    account        text PRIMARY KEY,
    state          jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now()
);
