INSERT INTO blind_index (field, idx, ordinal) VALUES (?1, ?2, ?3);
