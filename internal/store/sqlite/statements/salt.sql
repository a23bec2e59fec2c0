SELECT salt FROM salt WHERE pos = ?1;
