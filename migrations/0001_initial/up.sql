-- Portable: every statement runs unchanged on SQLite and PostgreSQL. Times are unix milliseconds, ids are
-- made by wagate. BYTEA has no special meaning to SQLite, which stores a blob as it is given one.

CREATE TABLE meta (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE devices (
    id TEXT NOT NULL PRIMARY KEY,
    token TEXT NOT NULL UNIQUE,
    jid TEXT,
    lid TEXT,
    push_name TEXT,
    picture_url TEXT,
    workspace TEXT,
    calls TEXT NOT NULL,
    ended TEXT,
    search TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX devices_created ON devices (created_at, id);
CREATE INDEX devices_workspace ON devices (workspace) WHERE workspace IS NOT NULL;

CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL UNIQUE REFERENCES devices (id) ON DELETE CASCADE,
    url TEXT NOT NULL,
    secret TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE contacts (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    jid TEXT NOT NULL,
    lid TEXT,
    first_name TEXT,
    full_name TEXT,
    push_name TEXT,
    business_name TEXT,
    PRIMARY KEY (device_id, jid)
);

CREATE TABLE number_lookups (
    phone TEXT NOT NULL PRIMARY KEY,
    jid TEXT,
    checked_at BIGINT NOT NULL
);

CREATE TABLE events (
    id TEXT NOT NULL PRIMARY KEY,
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    dedupe_key TEXT,
    at BIGINT NOT NULL,
    recorded_at BIGINT NOT NULL,
    data BYTEA NOT NULL,
    UNIQUE (device_id, dedupe_key)
);

-- due_at is set on the delivery that is next for its endpoint and on no other: that keeps the order and
-- makes the queue as short as there are endpoints. A lease moves it into the future.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    status INTEGER NOT NULL,
    due_at BIGINT,
    attempts INTEGER NOT NULL,
    http_status INTEGER,
    error TEXT,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    settled_at BIGINT
);
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, status, id);
CREATE INDEX deliveries_of_event ON deliveries (event_id);
CREATE INDEX deliveries_of_device ON deliveries (device_id);

CREATE TABLE sends (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    message_id TEXT NOT NULL,
    status INTEGER NOT NULL,
    idempotency_key TEXT,
    fingerprint BYTEA,
    answer TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, message_id),
    UNIQUE (device_id, idempotency_key)
);

CREATE TABLE keys (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    kind INTEGER NOT NULL,
    key BYTEA NOT NULL,
    value BYTEA NOT NULL,
    expires_at BIGINT,
    PRIMARY KEY (device_id, kind, key)
);
CREATE INDEX keys_expiry ON keys (device_id, kind, expires_at) WHERE expires_at IS NOT NULL;
