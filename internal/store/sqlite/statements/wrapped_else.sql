-- A wrapped key begins with a byte of the format and the number of its key.
SELECT customer.ordinal, id, version, written, sealed, wrapped
FROM data_key CROSS JOIN customer ON customer.ordinal = data_key.ordinal
WHERE data_key.ordinal > ?1 AND data_key.ordinal <= ?2 AND substr(wrapped, 1, 5) <> ?3
ORDER BY data_key.ordinal LIMIT ?4 + 0;
