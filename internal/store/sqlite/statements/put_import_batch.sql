INSERT INTO import_batch (pos, file, done, first, imported, rejected) VALUES (?1, ?2, ?3, ?4, ?5, ?6);
