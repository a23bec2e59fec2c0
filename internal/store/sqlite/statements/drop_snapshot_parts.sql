DELETE FROM snapshot_part
WHERE (size, part) IN (
	SELECT size, part FROM snapshot_part
	WHERE size NOT IN (SELECT size FROM snapshot)
	ORDER BY size, part LIMIT 8
);
