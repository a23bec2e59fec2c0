DELETE FROM text WHERE ordinal = ?1;
