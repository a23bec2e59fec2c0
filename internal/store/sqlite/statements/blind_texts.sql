SELECT pos, kind, 0, contact, casefile, topic, written, salt, sealed, 0 FROM text
WHERE ordinal IS NULL AND casefile IS ?1 AND (?1 IS NOT NULL OR contact = ?2)
ORDER BY pos;
