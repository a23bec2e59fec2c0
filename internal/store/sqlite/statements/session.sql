SELECT id, person, token, opened, expires, sealed FROM session WHERE token = ?1
