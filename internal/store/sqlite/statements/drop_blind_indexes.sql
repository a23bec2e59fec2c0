DELETE FROM blind_index WHERE ordinal >= ?1 AND ordinal <= ?2;
