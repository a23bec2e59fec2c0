INSERT INTO erasure (pos, at, until, cause, customer, keys, indexes, channels, superseded, salts, texts)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);
