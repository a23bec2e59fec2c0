INSERT INTO person (id, vendor, name) VALUES (?1, ?2, ?3)
ON CONFLICT (id) DO UPDATE SET vendor = excluded.vendor, name = excluded.name
