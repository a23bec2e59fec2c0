DELETE FROM expiry WHERE ordinal = ?1;
