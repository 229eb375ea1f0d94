-- What the decision-maker was told: views and cues until they are over, refused ones with every reason for a day.
CREATE TABLE dm_inputs (
    branch         text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('view', 'cue')),
    event_id       text NOT NULL,                          -- of the window or hint
    source         text NOT NULL,
    coin           text NOT NULL,
    horizon_s      integer NOT NULL,                       -- 0 for a cue
    window_end_ms  bigint NOT NULL,
    valid_until_ms bigint NOT NULL,                        -- forgotten after it
    body           jsonb NOT NULL,                         -- AlphaInput or CueInput; {} for one that was refused
    refused        text[] NOT NULL DEFAULT '{}',
    withdrawn      text NOT NULL DEFAULT '',               -- why it was taken back
    context        text NOT NULL DEFAULT '',               -- of a view's window, twelve bins
    PRIMARY KEY (branch, kind, event_id)
);
CREATE INDEX dm_inputs_live ON dm_inputs (branch, valid_until_ms);

-- Where a book stands after its last decided window; a window is decided once.
CREATE TABLE dm_book (
    branch         text NOT NULL,
    portfolio_id   text NOT NULL,
    window_end_ms  bigint NOT NULL,
    standing       jsonb NOT NULL,
    updated_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, portfolio_id)
);
