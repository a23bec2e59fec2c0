SELECT ordinal FROM customer WHERE id = ?1;
