-- lowest: 1
-- Words of mandates and statements of holdings.

-- Who gets what leaves under a mandate, and whose order it follows: sealed. The
-- ledger has commitments to both, and everything that decisions need.
CREATE TABLE mandate (
	id     BLOB PRIMARY KEY CHECK (length(id) = 16),
	sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Signed statements of what a scan found. They hold counts alone.
CREATE TABLE holdings (
	pos  INTEGER PRIMARY KEY, -- of the entry
	hash BLOB NOT NULL CHECK (length(hash) = 32),
	note BLOB NOT NULL
) STRICT;
