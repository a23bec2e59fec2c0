SELECT bytes FROM snapshot_part WHERE size = ?1 AND part < ?2 ORDER BY part;
