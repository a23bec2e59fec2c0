SELECT sealed FROM mandate WHERE id = ?;
