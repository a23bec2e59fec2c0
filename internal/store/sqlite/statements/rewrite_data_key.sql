UPDATE data_key SET wrapped = ?2 WHERE ordinal = ?1;
