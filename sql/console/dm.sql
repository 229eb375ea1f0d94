-- What the console reads in dm. Every query takes %(branch)s; a searched one takes %(search)s, '' for none.

-- name: claims
SELECT day, body FROM dm_knowledge WHERE branch = %(branch)s AND kind = 'reliability' AND name = 'claims'
ORDER BY day DESC LIMIT 1;
