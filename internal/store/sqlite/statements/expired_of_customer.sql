SELECT field FROM expiry WHERE ordinal = ?1 AND at <= ?2;
