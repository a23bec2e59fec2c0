SELECT text FROM configuration WHERE hash = ?;
