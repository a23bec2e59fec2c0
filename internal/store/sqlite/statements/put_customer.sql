INSERT INTO customer (ordinal, id, version, written, sealed) VALUES (?, ?, ?, ?, ?);
