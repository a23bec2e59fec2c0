INSERT INTO data_key (ordinal, wrapped) VALUES (?1, ?2);
