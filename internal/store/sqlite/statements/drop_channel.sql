DELETE FROM channel WHERE ordinal = ?1 AND field = ?2;
