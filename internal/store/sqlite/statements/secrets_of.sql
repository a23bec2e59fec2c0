SELECT id, vendor, name, secret, sealed
FROM source
WHERE id = ?
ORDER BY number DESC
