INSERT INTO expiry (ordinal, field, at) VALUES (?1, ?2, ?3)
ON CONFLICT (ordinal, field) DO UPDATE SET at = excluded.at;
