DELETE FROM text WHERE pos = ?1;
