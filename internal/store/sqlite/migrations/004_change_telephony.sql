-- lowest: 1
-- Sources: one row for each secret that was ever proposed for one. Which of
-- them counts, and the source's status and trust, is in the ledger.

CREATE TABLE source (
	number INTEGER PRIMARY KEY, -- order of proposal
	id     BLOB NOT NULL CHECK (length(id) = 16),
	vendor BLOB NOT NULL CHECK (length(vendor) = 16),
	name   TEXT NOT NULL,
	secret BLOB NOT NULL CHECK (length(secret) = 16), -- commitment
	sealed BLOB NOT NULL, -- the source's salt, the same in all its rows, and the secret
	UNIQUE (id, secret)
) STRICT;
