INSERT INTO legal_hold (hold, sealed) VALUES (?1, ?2);
