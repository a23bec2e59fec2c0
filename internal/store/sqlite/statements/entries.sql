SELECT pos, bytes FROM entry WHERE pos >= ?1 AND pos < ?2 ORDER BY pos;
