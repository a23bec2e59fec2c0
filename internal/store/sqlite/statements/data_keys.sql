SELECT ordinal, wrapped FROM data_key ORDER BY ordinal;
