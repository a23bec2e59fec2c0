DELETE FROM casefile WHERE ordinal IS NULL AND opened < ?1;
