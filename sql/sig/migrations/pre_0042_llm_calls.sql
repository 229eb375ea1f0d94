-- What calls of a model may cost: the worst is reserved before a call, and settled after it. A request that was sent is
-- not sent again: a reservation that is not released keeps its request for good.
CREATE TABLE llm_budget (
    reservation      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    request_hash     text NOT NULL,
    branch           text NOT NULL,
    run              text NOT NULL,
    worst_tokens     bigint NOT NULL CHECK (worst_tokens >= 0),
    worst_micro_usd  bigint NOT NULL CHECK (worst_micro_usd >= 0),
    tokens           bigint,                               -- unknown until settled
    micro_usd        bigint,
    released         boolean NOT NULL DEFAULT false,       -- nothing was paid: the request may be sent again
    reserved_at      timestamptz NOT NULL DEFAULT now(),
    settled_at       timestamptz
);
CREATE UNIQUE INDEX llm_budget_request ON llm_budget (request_hash) WHERE NOT released;
CREATE INDEX llm_budget_newest ON llm_budget (reserved_at DESC);

-- Calls of a model as they ended. The bytes are in the lake. Append-only.
CREATE TABLE llm_calls (
    call_id          text PRIMARY KEY,
    request_hash     text NOT NULL,
    branch           text NOT NULL,
    run              text NOT NULL,
    mode             text NOT NULL CHECK (mode IN ('live', 'record', 'replay')),
    model_asked      text NOT NULL,
    model            text NOT NULL,                        -- as it names itself; '' where nothing was answered
    knows_until      text NOT NULL,                        -- last day that it can have read about; '' for not known
    tokens_in        bigint NOT NULL,
    tokens_out       bigint NOT NULL,
    usage_told       boolean NOT NULL,                     -- by the server; else from bytes
    micro_usd        bigint NOT NULL,
    took_ms          double precision NOT NULL,
    verdict          text NOT NULL,
    called_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX llm_calls_newest ON llm_calls (branch, called_at DESC);
