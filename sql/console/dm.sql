-- What the console reads in dm. Every query takes %(branch)s; a searched one takes %(search)s, '' for none.

-- name: claims
SELECT day, body FROM dm_knowledge WHERE branch = %(branch)s AND kind = 'reliability' AND name = 'claims'
ORDER BY day DESC LIMIT 1;

-- name: decisions
SELECT decision_id, time_ms, kind, lifecycle_id, COALESCE(ticket ->> 'status', '') AS status,
       COALESCE(ticket ->> 'why', ticket ->> 'detail', '') AS why,
       (SELECT string_agg(COALESCE(t ->> 'coin', t ->> 'asset') || ' ' || COALESCE(
               to_char((t ->> 'weight')::double precision, 'FMSG0.0000'),
               CASE WHEN (t ->> 'side')::double precision > 0 THEN 'long' ELSE 'short' END), ', ')
        FROM jsonb_array_elements(ticket -> 'targets') t) AS targets,
       (ticket -> 'expected' ->> 'return_bps')::double precision AS return_bps,
       (ticket -> 'expected' ->> 'cost_bps')::double precision AS cost_bps
FROM dm_decisions WHERE branch = %(branch)s;
