INSERT INTO customer (ordinal, id, version, sealed) VALUES (?1, ?2, ?3, ?4);
