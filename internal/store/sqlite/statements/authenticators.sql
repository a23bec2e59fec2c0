SELECT id, person, credential, sign_count, sealed FROM authenticator WHERE person = ?1 ORDER BY id
