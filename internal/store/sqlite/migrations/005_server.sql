-- lowest: 1
-- What the server keeps of itself: settings fixed at init, and the texts of
-- schemas and policies by their hash, which entries name.

CREATE TABLE setting (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE configuration (
	hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
	text BLOB NOT NULL
) STRICT, WITHOUT ROWID;
