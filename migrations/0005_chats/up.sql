-- What was said, by conversation. Portable: see the first migration.

-- at has whole seconds, as WhatsApp's clock; place is larger for what came later. sender is empty for messages of the
-- account itself, whose ids are its own.
CREATE TABLE messages (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    chat TEXT NOT NULL,
    at BIGINT NOT NULL,
    place TEXT NOT NULL,
    id TEXT NOT NULL,
    sender TEXT,
    name TEXT,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    media TEXT,
    PRIMARY KEY (device_id, chat, at, place)
);
CREATE UNIQUE INDEX messages_own ON messages (device_id, id) WHERE sender IS NULL;
CREATE INDEX messages_at ON messages (at);

-- last_at and last_place name the newest message; read_at is when the account last read or wrote there.
CREATE TABLE chats (
    device_id TEXT NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    jid TEXT NOT NULL,
    name TEXT,
    last_at BIGINT NOT NULL,
    last_place TEXT NOT NULL,
    unread INTEGER NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (device_id, jid)
);
CREATE INDEX chats_newest ON chats (device_id, last_at, last_place);
