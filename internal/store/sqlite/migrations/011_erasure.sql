-- lowest: 11
-- What erasures destroyed, for their receipts, and the words of legal holds.

-- Nothing here leads back to anybody: the identifier is random and names no row.
CREATE TABLE erasure (
	pos        INTEGER PRIMARY KEY, -- of the entry
	at         INTEGER NOT NULL,    -- stamp
	until      INTEGER NOT NULL,    -- stamp: when no backup can hold the key any more
	cause      INTEGER NOT NULL,
	customer   BLOB NOT NULL CHECK (length(customer) = 16),
	keys       INTEGER NOT NULL,
	indexes    INTEGER NOT NULL,
	channels   INTEGER NOT NULL,
	superseded INTEGER NOT NULL,
	salts      INTEGER NOT NULL,
	texts      INTEGER NOT NULL
) STRICT;

CREATE TABLE legal_hold (
	hold   BLOB PRIMARY KEY CHECK (length(hold) = 16),
	sealed BLOB NOT NULL -- the matter, under the notes key
) STRICT, WITHOUT ROWID;
