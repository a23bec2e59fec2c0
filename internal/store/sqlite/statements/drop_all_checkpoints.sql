DELETE FROM checkpoint;
