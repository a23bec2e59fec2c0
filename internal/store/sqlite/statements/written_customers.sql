SELECT ordinal, id, version FROM customer WHERE ordinal >= ?1 AND ordinal < ?2 ORDER BY ordinal;
