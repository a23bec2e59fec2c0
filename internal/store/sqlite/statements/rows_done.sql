SELECT coalesce(max(done), 0) FROM import_batch WHERE file = ?1;
