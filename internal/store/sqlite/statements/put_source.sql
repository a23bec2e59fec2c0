INSERT INTO source (id, vendor, name, secret, sealed)
VALUES (?, ?, ?, ?, ?)
