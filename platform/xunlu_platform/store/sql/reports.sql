-- What a sheet reads beside the look back.

-- name: members
-- Officers by id, or of a unit with all below: who serves there today, and who has left but wore a device then.
select o.id, o.number, o.name, u.name as unit, u.path
from officer o join unit u on u.id = o.unit_id
where (o.id = any(%(ids)s::bigint[]) or starts_with(u.path, (select path from unit where id = %(unit)s)))
  and (o.active or exists (select from binding b where b.officer_id = o.id and b.bound_at < %(to)s
    and coalesce(b.released_at > %(from)s, true)) or o.id = any(%(ids)s::bigint[]))
order by o.number, o.id limit %(limit)s

-- name: ends
-- The first and the last fix of each stretch.
select s.n, first.fix_at as first_fix, last.fix_at as last_fix
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
cross join lateral (select fix_at from position where device_id = s.device_id and fix_at >= s.since and fix_at < s.until
  order by fix_at limit 1) first
cross join lateral (select fix_at from position where device_id = s.device_id and fix_at >= s.since and fix_at < s.until
  order by fix_at desc limit 1) last

-- name: zone_names
select id, name, kind from zone where id = any(%(ids)s::bigint[])
