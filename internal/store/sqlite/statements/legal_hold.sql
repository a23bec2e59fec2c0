SELECT sealed FROM legal_hold WHERE hold = ?1;
