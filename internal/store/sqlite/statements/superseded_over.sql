SELECT DISTINCT ordinal FROM superseded WHERE until <= ?1 AND ordinal > ?2 ORDER BY ordinal LIMIT ?3 + 0;
