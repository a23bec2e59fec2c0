DELETE FROM ticket WHERE hash = ?1
