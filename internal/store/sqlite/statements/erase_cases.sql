DELETE FROM casefile WHERE ordinal = ?1;
