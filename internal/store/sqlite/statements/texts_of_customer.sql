SELECT pos, kind, ordinal, contact, casefile, topic, written, salt, sealed,
	ifnull((SELECT state FROM casefile AS f WHERE f.id = text.casefile), 0)
FROM text WHERE ordinal = ?1 AND kind = ?2 AND pos < ?3
ORDER BY pos DESC LIMIT ?4;
