INSERT INTO data_key (ordinal, wrapped) VALUES (?, ?);
