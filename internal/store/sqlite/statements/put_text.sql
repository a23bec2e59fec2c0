INSERT INTO text (pos, kind, ordinal, contact, casefile, topic, written, salt, sealed)
VALUES (?1, ?2, nullif(?3, 0), ?4, ?5, ?6, ?7, ?8, ?9);
