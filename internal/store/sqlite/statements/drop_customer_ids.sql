DELETE FROM customer_id WHERE ordinal >= ?1 AND ordinal <= ?2;
