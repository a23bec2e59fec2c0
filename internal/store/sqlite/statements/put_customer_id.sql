INSERT INTO customer_id (start, ordinal) VALUES (?, ?) ON CONFLICT DO NOTHING;
