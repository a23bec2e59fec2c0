INSERT INTO salt (pos, ordinal, salt) VALUES (?1, ?2, ?3);
