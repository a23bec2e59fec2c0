SELECT size, fold_version, digest, frontier, parts FROM snapshot ORDER BY size DESC;
