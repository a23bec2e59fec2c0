UPDATE casefile SET ordinal = nullif(?2, 0), topic = ?3, state = ?4, changed = ?5 WHERE id = ?1;
