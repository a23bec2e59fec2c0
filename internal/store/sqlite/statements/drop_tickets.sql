DELETE FROM ticket WHERE expires <= ?1
