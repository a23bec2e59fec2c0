INSERT INTO channel (ordinal, field, since) VALUES (?1, ?2, ?3)
ON CONFLICT (ordinal, field) DO UPDATE SET since = excluded.since;
