SELECT size, fold_version, digest, parts FROM snapshot ORDER BY size DESC;
