-- A join, or a bound limit elsewhere, would be planned anew at every step.
SELECT id, version, written, sealed, (SELECT wrapped FROM data_key WHERE data_key.ordinal = customer.ordinal)
FROM customer WHERE ordinal = ?1;
