INSERT INTO channel (ordinal, field, since) VALUES (?1, ?2, ?3);
