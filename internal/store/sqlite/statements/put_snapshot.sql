INSERT INTO snapshot (size, fold_version, digest, frontier, parts) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (size) DO UPDATE SET
	fold_version = excluded.fold_version, digest = excluded.digest, frontier = excluded.frontier, parts = excluded.parts;
