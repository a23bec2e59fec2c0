SELECT idx FROM blind_index WHERE ordinal = ?1 AND field = ?2 ORDER BY idx;
