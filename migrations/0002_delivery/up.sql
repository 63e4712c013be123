-- Endpoints of devices, workspaces and everybody; deliveries in lanes; every attempt; an event log that can be
-- read in order; how far sends have come. Portable: see the first migration.

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('events', 0);

ALTER TABLE deliveries RENAME TO former_deliveries;
ALTER TABLE webhooks RENAME TO former_webhooks;

-- At most one of the three says whose events it receives; none means everybody's. The seed's endpoint has
-- both device columns, which keeps it the only one. Secret and headers are sealed.
CREATE TABLE webhooks (
    id TEXT NOT NULL PRIMARY KEY,
    device_id TEXT REFERENCES devices (id) ON DELETE CASCADE,
    seed_device_id TEXT UNIQUE REFERENCES devices (id) ON DELETE CASCADE,
    workspace TEXT,
    url TEXT NOT NULL,
    format TEXT NOT NULL,
    events TEXT NOT NULL,
    headers TEXT NOT NULL,
    secret TEXT NOT NULL,
    retiring_secret TEXT,
    retiring_until BIGINT,
    state TEXT NOT NULL,
    disabled_reason TEXT,
    disabled_at BIGINT,
    failing_since BIGINT,
    created_at BIGINT NOT NULL
);
INSERT INTO webhooks (id, device_id, seed_device_id, url, format, events, headers, secret, state, created_at)
    SELECT id, device_id, device_id, url, 'classic', '["*"]', '', secret, 'active', created_at
    FROM former_webhooks;

ALTER TABLE events ADD COLUMN seq BIGINT NOT NULL DEFAULT 0;
UPDATE events SET seq = (SELECT count(*) FROM events AS earlier WHERE earlier.id <= events.id);
UPDATE counters SET value = (SELECT count(*) FROM events);

-- lane is set while a delivery is pending and keeps the order: endpoint, device and conversation. One that
-- stepped aside has none. due_at is set on what may be handed out: the oldest of its lane, and what stands
-- aside; a lease is a later due time. settled_at is empty while it is pending.
CREATE TABLE deliveries (
    id TEXT NOT NULL PRIMARY KEY,
    event_id TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
    webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    lane TEXT,
    status INTEGER NOT NULL,
    due_at BIGINT,
    leased INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    error TEXT,
    body BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    queued_at BIGINT NOT NULL,
    settled_at BIGINT
);
INSERT INTO deliveries (id, event_id, webhook_id, device_id, lane, status, due_at, leased, attempts, baseline,
        error, body, created_at, queued_at, settled_at)
    SELECT id, event_id, webhook_id, device_id, CASE WHEN status = 0 THEN webhook_id END, status, due_at, 0,
        attempts, 0, error, body, created_at, created_at, CASE WHEN status <> 0 THEN coalesce(settled_at, 0) END
    FROM former_deliveries;

DROP TABLE former_deliveries;
DROP TABLE former_webhooks;

CREATE UNIQUE INDEX events_seq ON events (seq);
CREATE INDEX events_of_device ON events (device_id, seq);
CREATE INDEX events_recorded ON events (recorded_at);
CREATE INDEX webhooks_of_device ON webhooks (device_id) WHERE device_id IS NOT NULL;
CREATE INDEX webhooks_of_workspace ON webhooks (workspace) WHERE workspace IS NOT NULL;
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_lane ON deliveries (lane, id) WHERE lane IS NOT NULL;
CREATE INDEX deliveries_pending ON deliveries (webhook_id, id) WHERE settled_at IS NULL;
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, id);
CREATE INDEX deliveries_of_event ON deliveries (event_id);
CREATE INDEX deliveries_of_device ON deliveries (device_id, id);
CREATE INDEX deliveries_dead ON deliveries (id) WHERE status = 2;

CREATE TABLE attempts (
    delivery_id TEXT NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    status INTEGER,
    error TEXT,
    request_head TEXT NOT NULL,
    response_head TEXT NOT NULL,
    response_body BYTEA NOT NULL,
    PRIMARY KEY (delivery_id, number)
);

ALTER TABLE sends ADD COLUMN recipient TEXT NOT NULL DEFAULT '';
ALTER TABLE sends ADD COLUMN failure TEXT;
ALTER TABLE sends ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE sends SET updated_at = created_at;
CREATE INDEX sends_of_device ON sends (device_id, created_at, message_id);
CREATE INDEX sends_created ON sends (created_at);
CREATE INDEX sends_queued ON sends (created_at) WHERE status = 0;
