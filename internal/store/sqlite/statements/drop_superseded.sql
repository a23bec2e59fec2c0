DELETE FROM superseded WHERE ordinal = ?1 AND until <= ?2;
