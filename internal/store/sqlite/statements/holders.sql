SELECT ordinal FROM blind_index WHERE field = ?1 AND idx = ?2 ORDER BY ordinal LIMIT ?3 + 0;
