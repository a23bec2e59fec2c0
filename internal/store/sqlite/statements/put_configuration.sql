INSERT INTO configuration (hash, text) VALUES (?, ?) ON CONFLICT (hash) DO NOTHING;
