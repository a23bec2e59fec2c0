INSERT INTO ticket (hash, person, expires) VALUES (?1, ?2, ?3)
