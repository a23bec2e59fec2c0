DELETE FROM text WHERE ordinal IS NULL AND written < ?1;
