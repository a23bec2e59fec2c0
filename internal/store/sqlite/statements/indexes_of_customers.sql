SELECT ordinal, field, idx FROM blind_index WHERE ordinal > ?1 AND ordinal <= ?2 ORDER BY ordinal, field, idx;
