SELECT ordinal FROM customer_id
WHERE start = ?1 AND (SELECT id FROM customer WHERE customer.ordinal = customer_id.ordinal) = ?2;
