UPDATE data_key SET wrapped = ?3 WHERE ordinal = ?1 AND wrapped = ?2;
