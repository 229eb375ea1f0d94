-- Which Lotus database this is and which migrations it has had. Made in every Lotus database before the first migration.
CREATE TABLE lotus_schema (
    version     integer PRIMARY KEY,
    database    text NOT NULL,
    sha256      text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
