INSERT INTO session (id, person, token, opened, expires, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
