INSERT INTO entry (pos, bytes) VALUES (?1, ?2);
