INSERT INTO authenticator (id, person, credential, sign_count, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT DO NOTHING
