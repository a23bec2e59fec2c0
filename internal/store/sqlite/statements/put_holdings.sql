INSERT INTO holdings (pos, hash, note) VALUES (?, ?, ?);
