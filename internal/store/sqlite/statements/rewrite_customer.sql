UPDATE customer SET version = ?2, written = ?3, sealed = ?4 WHERE ordinal = ?1;
