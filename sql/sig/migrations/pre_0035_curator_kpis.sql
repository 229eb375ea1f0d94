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
