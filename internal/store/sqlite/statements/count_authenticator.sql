UPDATE authenticator SET sign_count = ?3 WHERE id = ?1 AND sign_count = ?2
