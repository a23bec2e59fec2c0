SELECT c.id, c.version, c.written, c.sealed, k.wrapped FROM customer AS c JOIN data_key AS k ON k.ordinal = c.ordinal WHERE c.ordinal = ?1;
