SELECT at, until, cause, customer, keys, indexes, channels, superseded, salts, texts FROM erasure WHERE pos = ?1;
