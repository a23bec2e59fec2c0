SELECT 1 FROM blind_index WHERE field = ?1 AND idx = ?2 AND ordinal = ?3;
