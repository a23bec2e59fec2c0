INSERT INTO casefile (id, pos, contact, vendor, ordinal, topic, state, opened, changed)
VALUES (?1, ?2, ?3, ?4, nullif(?5, 0), ?6, ?7, ?8, ?9);
