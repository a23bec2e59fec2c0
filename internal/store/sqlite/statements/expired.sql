SELECT at, ordinal, field FROM expiry WHERE at <= ?1 AND (at, ordinal, field) > (?2, ?3, ?4)
ORDER BY at, ordinal, field LIMIT ?5 + 0;
