SELECT before, count, fates, whose FROM import_fate WHERE file = ?1 ORDER BY before;
