-- A paper account's own books, whole through crashes; funding as each plan paid it; what became of triggers.
ALTER TABLE tr_plans ADD COLUMN session text NOT NULL DEFAULT '';   -- run whose feed its venue lives on; '' outlives runs
ALTER TABLE tr_paper_account ADD COLUMN marks jsonb NOT NULL DEFAULT '{}';  -- equity at the mark, at the mids, at the far side

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
