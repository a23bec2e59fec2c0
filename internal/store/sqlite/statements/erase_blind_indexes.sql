DELETE FROM blind_index WHERE ordinal = ?1;
