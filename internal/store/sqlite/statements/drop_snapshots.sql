DELETE FROM snapshot WHERE size NOT IN (SELECT size FROM snapshot ORDER BY size DESC LIMIT 2);
