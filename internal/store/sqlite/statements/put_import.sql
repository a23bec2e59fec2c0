INSERT OR REPLACE INTO import (file, options, first, done, settled, added, changed, same, merged, rejected, ended)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);
