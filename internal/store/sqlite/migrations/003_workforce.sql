-- lowest: 1
-- Vendors, teams and persons by sealed name, tickets, passkeys, sessions.

CREATE TABLE vendor (
	id   BLOB PRIMARY KEY CHECK (length(id) = 16),
	name BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE team (
	id     BLOB PRIMARY KEY CHECK (length(id) = 16),
	vendor BLOB NOT NULL CHECK (length(vendor) = 16),
	name   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE person (
	id     BLOB PRIMARY KEY CHECK (length(id) = 16),
	vendor BLOB NOT NULL CHECK (length(vendor) = 16),
	name   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- By the hash of the ticket, which itself is nowhere.
CREATE TABLE ticket (
	hash    BLOB PRIMARY KEY CHECK (length(hash) = 32),
	person  BLOB NOT NULL CHECK (length(person) = 16),
	expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE authenticator (
	id         BLOB PRIMARY KEY CHECK (length(id) = 16),
	person     BLOB NOT NULL CHECK (length(person) = 16),
	credential BLOB NOT NULL UNIQUE CHECK (length(credential) = 32),
	sign_count INTEGER NOT NULL CHECK (sign_count BETWEEN 0 AND 4294967295),
	sealed     BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX authenticator_person ON authenticator (person, id);

-- By the hash of the token, which itself is nowhere.
CREATE TABLE session (
	id      BLOB PRIMARY KEY CHECK (length(id) = 16),
	person  BLOB NOT NULL CHECK (length(person) = 16),
	token   BLOB NOT NULL UNIQUE CHECK (length(token) = 32),
	opened  INTEGER NOT NULL,
	expires INTEGER NOT NULL,
	sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_person ON session (person, opened);
CREATE INDEX session_expires ON session (expires);
