-- lowest: 1
-- The ledger: entries, the head, snapshots of the fold, signed checkpoints.

CREATE TABLE entry (
	pos   INTEGER PRIMARY KEY CHECK (pos >= 0),
	bytes BLOB NOT NULL
) STRICT;

CREATE TRIGGER entry_never_updated BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry is never updated'); END;

CREATE TRIGGER entry_never_deleted BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;

-- One row: how many entries count, and the tree over them.
CREATE TABLE head (
	id       INTEGER PRIMARY KEY CHECK (id = 1),
	size     INTEGER NOT NULL CHECK (size >= 0),
	root     BLOB NOT NULL CHECK (length(root) = 32),
	frontier BLOB NOT NULL
) STRICT;

INSERT INTO head (id, size, root, frontier)
VALUES (1, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', x'');

CREATE TRIGGER head_never_deleted BEFORE DELETE ON head
BEGIN SELECT RAISE(ABORT, 'the head is never deleted'); END;

-- A snapshot counts when its row here exists; its parts are written before.
CREATE TABLE snapshot (
	size         INTEGER PRIMARY KEY,
	fold_version INTEGER NOT NULL,
	digest       BLOB NOT NULL CHECK (length(digest) = 32),
	frontier     BLOB NOT NULL,
	parts        INTEGER NOT NULL
) STRICT;

CREATE TABLE snapshot_part (
	size  INTEGER NOT NULL,
	part  INTEGER NOT NULL,
	bytes BLOB NOT NULL,
	PRIMARY KEY (size, part)
) STRICT;

CREATE TABLE checkpoint (
	size INTEGER PRIMARY KEY,
	note BLOB NOT NULL
) STRICT;
