INSERT INTO mandate (id, sealed) VALUES (?, ?);
