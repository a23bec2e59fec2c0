SELECT coalesce((SELECT since FROM channel WHERE ordinal = ?1 AND field = ?2), 0), substr(sealed, 1, 5)
FROM customer WHERE ordinal = ?1;
