-- lowest: 6
-- What hangs on service records: values that were replaced, values with a time
-- of their own, salts of amendments, and the words of legal holds.

-- A value that a rewriting replaced, sealed under the customer's data key.
CREATE TABLE superseded (
	ordinal  INTEGER NOT NULL REFERENCES customer (ordinal),
	field    INTEGER NOT NULL,
	version  INTEGER NOT NULL, -- of the record that held it last
	replaced INTEGER NOT NULL, -- stamp
	until    INTEGER NOT NULL, -- stamp from which on it is to be destroyed
	sealed   BLOB NOT NULL,
	PRIMARY KEY (ordinal, field, version)
) STRICT, WITHOUT ROWID;

CREATE INDEX superseded_until ON superseded (until, ordinal);

-- When a field of a customer is to be dropped.
CREATE TABLE expiry (
	ordinal INTEGER NOT NULL REFERENCES customer (ordinal),
	field   INTEGER NOT NULL,
	at      INTEGER NOT NULL, -- stamp
	PRIMARY KEY (ordinal, field)
) STRICT, WITHOUT ROWID;

CREATE INDEX expiry_at ON expiry (at, ordinal, field);

-- What the commitment of an entry about a customer was salted with.
CREATE TABLE salt (
	pos     INTEGER PRIMARY KEY, -- of the entry
	ordinal INTEGER NOT NULL REFERENCES customer (ordinal),
	salt    BLOB NOT NULL CHECK (length(salt) = 16)
) STRICT;

CREATE INDEX salt_of_customer ON salt (ordinal);
