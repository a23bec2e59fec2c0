DELETE FROM data_key WHERE ordinal >= ?1 AND ordinal < ?2;
