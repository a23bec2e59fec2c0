INSERT INTO rotation (use, now, after, changed, total) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (use) DO UPDATE SET now = ?2, after = ?3, changed = ?4, total = ?5;
