-- lowest: 8
-- Cases, and the sealed texts of cases and notes.

CREATE TABLE casefile (
	id      BLOB PRIMARY KEY CHECK (length(id) = 16),
	pos     INTEGER NOT NULL UNIQUE, -- of the entry that opened it
	contact BLOB NOT NULL CHECK (length(contact) = 16),
	vendor  BLOB NOT NULL CHECK (length(vendor) = 16),
	ordinal INTEGER REFERENCES customer (ordinal), -- null: nobody's yet
	topic   INTEGER NOT NULL,
	state   INTEGER NOT NULL,
	opened  INTEGER NOT NULL, -- stamp
	changed INTEGER NOT NULL  -- stamp
) STRICT, WITHOUT ROWID;

CREATE INDEX casefile_of_customer ON casefile (ordinal);

-- Sealed under the key of its customer or, while it is about nobody, under the
-- keys of the deployment. The salt is that of the entry's commitment.
CREATE TABLE text (
	pos     INTEGER PRIMARY KEY, -- of the entry that it was written with
	kind    INTEGER NOT NULL,
	ordinal INTEGER REFERENCES customer (ordinal), -- null: about nobody yet
	contact BLOB NOT NULL CHECK (length(contact) = 16),
	casefile BLOB CHECK (length(casefile) = 16), -- null: of none
	topic   INTEGER NOT NULL,
	written INTEGER NOT NULL, -- stamp
	salt    BLOB NOT NULL CHECK (length(salt) = 16),
	sealed  BLOB NOT NULL
) STRICT;

CREATE INDEX text_of_customer ON text (ordinal, kind, pos);
CREATE INDEX text_about_nobody ON text (casefile, contact, pos) WHERE ordinal IS NULL;

CREATE TRIGGER text_never_updated BEFORE UPDATE ON text
BEGIN SELECT RAISE(ABORT, 'a text is never changed'); END;
