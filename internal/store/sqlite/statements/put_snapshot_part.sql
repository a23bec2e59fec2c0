INSERT INTO snapshot_part (size, part, bytes) VALUES (?1, ?2, ?3) ON CONFLICT (size, part) DO UPDATE SET bytes = excluded.bytes;
