DELETE FROM channel WHERE ordinal = ?1;
