SELECT field, version, replaced, until, sealed FROM superseded WHERE ordinal = ?1 ORDER BY field, version;
