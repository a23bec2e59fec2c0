DELETE FROM salt WHERE ordinal = ?1;
