-- lowest: 10
-- without foreign keys
-- Imports that end by an entry. Nothing but the table customer tells whether
-- there is somebody: the others refer to it without asking at every row. Those that referred to the old table refer to the new.

CREATE TABLE data_key_without (
	ordinal INTEGER PRIMARY KEY,
	wrapped BLOB NOT NULL
) STRICT;
INSERT INTO data_key_without SELECT ordinal, wrapped FROM data_key;
DROP TABLE data_key;
ALTER TABLE data_key_without RENAME TO data_key;

CREATE TABLE blind_index_without (
	field   INTEGER NOT NULL,
	idx     BLOB NOT NULL CHECK (length(idx) = 16),
	ordinal INTEGER NOT NULL,
	PRIMARY KEY (field, idx, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO blind_index_without SELECT field, idx, ordinal FROM blind_index ORDER BY field, idx, ordinal;
DROP TABLE blind_index;
ALTER TABLE blind_index_without RENAME TO blind_index;

-- Since when a channel holds what it holds, where that is known. A channel that
-- the record holds and that has no row is older than Purser's record of it.
CREATE TABLE channel_without (
	ordinal INTEGER NOT NULL,
	field   INTEGER NOT NULL,
	since   INTEGER NOT NULL,
	PRIMARY KEY (ordinal, field)
) STRICT, WITHOUT ROWID;
INSERT INTO channel_without SELECT ordinal, field, since FROM channel WHERE since <> 0;
DROP TABLE channel;
ALTER TABLE channel_without RENAME TO channel;

CREATE TABLE customer_without (
	ordinal INTEGER PRIMARY KEY CHECK (ordinal > 0 AND ordinal < 4294967296),
	id      BLOB NOT NULL CHECK (length(id) = 16),
	version INTEGER NOT NULL CHECK (version > 0),
	written INTEGER NOT NULL, -- position of the entry that wrote it last
	sealed  BLOB NOT NULL
) STRICT;
INSERT INTO customer_without SELECT ordinal, id, version, written, sealed FROM customer;
DROP TABLE customer;
ALTER TABLE customer_without RENAME TO customer;

-- Finds a customer by identifier: its first six bytes, as a number. Whoever
-- shares those is told apart by the customer's row.
CREATE TABLE customer_id (
	start   INTEGER NOT NULL,
	ordinal INTEGER NOT NULL,
	PRIMARY KEY (start, ordinal)
) STRICT, WITHOUT ROWID;
INSERT INTO customer_id SELECT
	((instr('0123456789ABCDEF', substr(hex(id), 1, 1)) - 1) << 44) +
	((instr('0123456789ABCDEF', substr(hex(id), 2, 1)) - 1) << 40) +
	((instr('0123456789ABCDEF', substr(hex(id), 3, 1)) - 1) << 36) +
	((instr('0123456789ABCDEF', substr(hex(id), 4, 1)) - 1) << 32) +
	((instr('0123456789ABCDEF', substr(hex(id), 5, 1)) - 1) << 28) +
	((instr('0123456789ABCDEF', substr(hex(id), 6, 1)) - 1) << 24) +
	((instr('0123456789ABCDEF', substr(hex(id), 7, 1)) - 1) << 20) +
	((instr('0123456789ABCDEF', substr(hex(id), 8, 1)) - 1) << 16) +
	((instr('0123456789ABCDEF', substr(hex(id), 9, 1)) - 1) << 12) +
	((instr('0123456789ABCDEF', substr(hex(id), 10, 1)) - 1) << 8) +
	((instr('0123456789ABCDEF', substr(hex(id), 11, 1)) - 1) << 4) +
	((instr('0123456789ABCDEF', substr(hex(id), 12, 1)) - 1) << 0),
	ordinal
FROM customer ORDER BY 1, 2;

-- How far the import of a file is. Files of earlier programs are not in it:
-- their customers are there, and the same file again says nothing new of them.
DROP TABLE import_batch;
CREATE TABLE import (
	file     BLOB PRIMARY KEY CHECK (length(file) = 32),
	options  BLOB NOT NULL,
	first    INTEGER NOT NULL,
	done     INTEGER NOT NULL, -- rows whose fate is written
	settled  INTEGER NOT NULL, -- rows up to which those about known people are merged
	added    INTEGER NOT NULL,
	changed  INTEGER NOT NULL,
	same     INTEGER NOT NULL,
	merged   INTEGER NOT NULL,
	rejected INTEGER NOT NULL,
	ended    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What became of the rows of a file, until its import ends: two bits a row, and
-- four bytes a row about somebody who is there.
CREATE TABLE import_fate (
	file   BLOB NOT NULL,
	before INTEGER NOT NULL,
	count  INTEGER NOT NULL,
	fates  BLOB NOT NULL,
	whose  BLOB NOT NULL,
	PRIMARY KEY (file, before)
) STRICT, WITHOUT ROWID;
