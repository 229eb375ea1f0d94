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
CREATE INDEX lotus_ledger_created ON lotus_ledger USING brin (created_at);
