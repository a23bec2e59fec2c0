INSERT INTO blind_index (field, idx, ordinal) VALUES (?, ?, ?) ON CONFLICT DO NOTHING;
