SELECT version FROM customer WHERE ordinal = ?1;
