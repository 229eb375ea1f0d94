-- Database atlas: the ledger of everything that was said, written by the Herald as it delivers; rebuildable.
CREATE TABLE lotus_ledger (
    ledger_id            text PRIMARY KEY,
    module               text NOT NULL,
    kind                 text NOT NULL,
    ref_table            text NOT NULL,
    ref_id               text NOT NULL,
    branch               text NOT NULL,
    lifecycle_id         text NOT NULL,
    parent_id            text,
    symbol               text,
    timeframe            text,
    session_bucket       text,
    regime               text,
    tags                 text[] NOT NULL DEFAULT '{}',
    priority             smallint NOT NULL DEFAULT 0,
    ttl                  integer NOT NULL DEFAULT 0,       -- seconds, 0 = none
    retry_count          integer NOT NULL DEFAULT 0,
    status               text NOT NULL,
    resonance_frequency  double precision,
    observer_effects     jsonb,
    entanglement_data    jsonb,
    created_at           timestamptz NOT NULL DEFAULT now(),
    processed_at         timestamptz
);
CREATE INDEX lotus_ledger_lifecycle ON lotus_ledger (lifecycle_id);
CREATE INDEX lotus_ledger_created ON lotus_ledger USING brin (created_at);

-- Copy of the modules' numbers (sig: module_numbers) in the form in which rows carry them.
CREATE TABLE ledger_numbers (
    branch               text NOT NULL,
    day                  text NOT NULL,                    -- last day of the evidence; rows of the day after carry it
    module               text NOT NULL,
    resonance_frequency  double precision,
    observer_effects     jsonb,
    entanglement_data    jsonb,
    PRIMARY KEY (branch, day, module)
);
