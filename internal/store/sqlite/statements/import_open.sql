SELECT file, options, first, done, settled, added, changed, same, merged, rejected, ended FROM import WHERE ended = 0 LIMIT 1;
