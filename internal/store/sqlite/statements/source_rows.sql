SELECT id, vendor, name, secret, sealed
FROM source
ORDER BY id, number DESC
