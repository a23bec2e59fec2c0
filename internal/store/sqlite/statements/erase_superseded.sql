DELETE FROM superseded WHERE ordinal = ?1;
