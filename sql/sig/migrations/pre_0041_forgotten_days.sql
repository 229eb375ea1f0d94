-- The last day of a branch whose outside rows retention let go: no stage makes it or an earlier one again.
CREATE TABLE forgotten_days (
    branch         text PRIMARY KEY,
    day            text NOT NULL                           -- YYYY-MM-DD
);
