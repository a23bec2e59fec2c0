DELETE FROM data_key WHERE ordinal = ?1;
