INSERT INTO checkpoint (size, note) VALUES (?1, ?2) ON CONFLICT (size) DO UPDATE SET note = excluded.note;
