INSERT INTO customer (ordinal, id, version, written, sealed) VALUES (?1, ?2, ?3, ?4, ?5);
