INSERT INTO superseded (ordinal, field, version, replaced, until, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
