SELECT 1 FROM customer WHERE ordinal = ?1;
