SELECT id, person, credential, sign_count, sealed FROM authenticator WHERE credential = ?1
