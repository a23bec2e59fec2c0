DELETE FROM expiry WHERE ordinal >= ?1 AND ordinal < ?2;
