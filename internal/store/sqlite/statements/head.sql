SELECT size, root, frontier FROM head WHERE id = 1;
