SELECT id, name FROM vendor ORDER BY id
