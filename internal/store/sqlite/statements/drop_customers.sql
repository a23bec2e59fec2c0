DELETE FROM customer WHERE ordinal >= ?1 AND ordinal < ?2;
