SELECT now, after, changed, total FROM rotation WHERE use = ?1;
