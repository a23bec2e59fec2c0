SELECT id, person, token, opened, expires, sealed FROM session WHERE person = ?1 ORDER BY opened DESC, id
