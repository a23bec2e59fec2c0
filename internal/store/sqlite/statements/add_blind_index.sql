INSERT INTO blind_index (field, idx, ordinal) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING;
