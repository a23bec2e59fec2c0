SELECT note FROM holdings WHERE pos = ?;
