SELECT id, vendor, name FROM team ORDER BY id
