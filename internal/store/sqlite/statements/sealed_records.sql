SELECT customer.ordinal, id, version, written, sealed, wrapped
FROM customer CROSS JOIN data_key ON data_key.ordinal = customer.ordinal
WHERE customer.ordinal > ?1 AND customer.ordinal <= ?2
ORDER BY customer.ordinal LIMIT ?3 + 0;
