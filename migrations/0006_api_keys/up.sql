-- Keys that programs call with. Portable: see the first migration.

-- digest is SHA-256 of the key; prefix is how the key begins. actions is `all`, or words with commas between them. A key
-- for one device or workspace names it; the device need not exist any more: then the key opens nothing.
CREATE TABLE api_keys (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    digest BYTEA NOT NULL UNIQUE,
    actions TEXT NOT NULL,
    device_id TEXT,
    workspace TEXT,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT
);
