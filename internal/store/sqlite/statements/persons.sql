SELECT id, vendor, name FROM person ORDER BY id
