SELECT id, vendor, name FROM person WHERE id = ?1
