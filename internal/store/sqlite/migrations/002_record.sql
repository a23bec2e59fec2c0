-- lowest: 2
-- Service records: customers, their data keys, blind indexes, and imports.

-- One customer. Nothing here can be read without a data key and the keyset.
CREATE TABLE customer (
	ordinal INTEGER PRIMARY KEY CHECK (ordinal > 0 AND ordinal < 4294967296),
	id      BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
	version INTEGER NOT NULL CHECK (version > 0),
	written INTEGER NOT NULL, -- position of the entry that wrote it last
	sealed  BLOB NOT NULL
) STRICT;

-- Apart from the customer, so that erasing a key erases the record in every
-- copy of the table above. Deleted bytes are overwritten (secure_delete).
CREATE TABLE data_key (
	ordinal INTEGER PRIMARY KEY REFERENCES customer (ordinal),
	wrapped BLOB NOT NULL
) STRICT;

-- Keyed digests of normal forms, by field bit.
CREATE TABLE blind_index (
	field   INTEGER NOT NULL,
	idx     BLOB NOT NULL CHECK (length(idx) = 16),
	ordinal INTEGER NOT NULL REFERENCES customer (ordinal),
	PRIMARY KEY (field, idx, ordinal)
) STRICT, WITHOUT ROWID;

CREATE INDEX blind_index_of_customer ON blind_index (ordinal, field);

-- Since when a channel holds what it holds; 0 is since before Purser.
CREATE TABLE channel (
	ordinal INTEGER NOT NULL REFERENCES customer (ordinal),
	field   INTEGER NOT NULL,
	since   INTEGER NOT NULL,
	PRIMARY KEY (ordinal, field)
) STRICT, WITHOUT ROWID;

-- Finished batches of imports, by the position of their entry.
CREATE TABLE import_batch (
	pos      INTEGER PRIMARY KEY,
	file     BLOB NOT NULL CHECK (length(file) = 32),
	done     INTEGER NOT NULL,
	first    INTEGER NOT NULL,
	imported INTEGER NOT NULL,
	rejected INTEGER NOT NULL
) STRICT;

CREATE INDEX import_batch_of_file ON import_batch (file, done);
