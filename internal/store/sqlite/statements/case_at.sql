SELECT id, pos, contact, vendor, ifnull(ordinal, 0), topic, state, opened, changed FROM casefile WHERE pos = ?1;
