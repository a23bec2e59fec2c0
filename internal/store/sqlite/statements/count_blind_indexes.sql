SELECT count(*) FROM blind_index;
