DELETE FROM channel WHERE ordinal >= ?1 AND ordinal < ?2;
