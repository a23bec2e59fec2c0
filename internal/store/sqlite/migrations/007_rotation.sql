-- lowest: 1
-- How far the walks of key rotations have come. use: 1 wrapping keys, 2 index
-- keys; now: the key that customers are changed over to.

CREATE TABLE rotation (
	use     INTEGER PRIMARY KEY,
	now     INTEGER NOT NULL,
	after   INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	total   INTEGER NOT NULL
) STRICT;
