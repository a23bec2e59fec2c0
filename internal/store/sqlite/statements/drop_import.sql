DELETE FROM import WHERE file = ?1;
