SELECT hash, person, expires FROM ticket WHERE hash = ?1
