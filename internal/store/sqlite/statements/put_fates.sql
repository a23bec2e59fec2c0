INSERT INTO import_fate (file, before, count, fates, whose) VALUES (?1, ?2, ?3, ?4, ?5);
