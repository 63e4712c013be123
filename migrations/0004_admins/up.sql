-- Who may sign in, and which browsers are signed in. Portable: see the first migration.

-- password is a hash, sealed for its row.
CREATE TABLE admins (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- token is the digest of what is in the cookie. One of the two says who it is: an admin, or whoever has the API key
-- with this digest.
CREATE TABLE sign_ins (
    token BYTEA NOT NULL PRIMARY KEY,
    admin_id TEXT REFERENCES admins (id) ON DELETE CASCADE,
    api_key BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);
CREATE INDEX sign_ins_of_admin ON sign_ins (admin_id) WHERE admin_id IS NOT NULL;
