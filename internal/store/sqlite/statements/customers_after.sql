SELECT ordinal FROM customer WHERE ordinal > ?1 ORDER BY ordinal LIMIT ?2;
