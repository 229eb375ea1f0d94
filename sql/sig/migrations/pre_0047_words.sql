-- Whether a model that may have read about the market had a part in a candidate, and until when. A child has that of its
-- parents: forward days count after it, and where it is not known, none ever do.
ALTER TABLE candidate_trials ADD COLUMN knows_until text   -- null: no model had a part; '': not known; else a day
    CHECK (knows_until ~ '^(\d{4}-\d{2}-\d{2})?$');

-- Why proposals of a model were refused; the codes are counted in later prompts. Append-only.
CREATE TABLE llm_refusals (
    branch         text NOT NULL,
    run            text NOT NULL,
    request_hash   text NOT NULL,
    spec           integer NOT NULL CHECK (spec >= 0),     -- which of the answer; 0: the answer
    night          text NOT NULL,                          -- last day that the run saw
    code           text NOT NULL CHECK (code <> ''),
    words          text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, run, request_hash, spec)
);
CREATE INDEX llm_refusals_newest ON llm_refusals (branch, night DESC);

-- A lesson as a sentence, for people alone: nothing reads it back. Append-only.
CREATE TABLE lesson_texts (
    branch         text NOT NULL,
    lesson_id      text NOT NULL,
    facts_hash     text NOT NULL,                          -- of the facts as they are shown
    author         text NOT NULL CHECK (author IN ('template', 'model')),
    model          text NOT NULL,                          -- as it names itself; '' for the template
    text           text NOT NULL CHECK (text <> '' AND length(text) <= 600),
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (branch, lesson_id, facts_hash, author)
);

-- Opinions of a model or a person on a candidate: shown beside it, and read by no judgement. Append-only.
CREATE TABLE attachments (
    attachment_id  text PRIMARY KEY,
    branch         text NOT NULL,
    candidate_id   text NOT NULL,
    origin         text NOT NULL CHECK (origin IN ('model', 'person')),
    author         text NOT NULL CHECK (author <> '' AND length(author) <= 128),
    text           text NOT NULL CHECK (text <> '' AND length(text) <= 600),
    created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX attachments_candidate ON attachments (branch, candidate_id, created_at DESC);
