DELETE FROM import_fate WHERE file = ?1;
