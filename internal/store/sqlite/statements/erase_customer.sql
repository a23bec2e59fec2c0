DELETE FROM customer WHERE ordinal = ?1;
