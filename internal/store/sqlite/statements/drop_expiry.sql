DELETE FROM expiry WHERE ordinal = ?1 AND field = ?2;
