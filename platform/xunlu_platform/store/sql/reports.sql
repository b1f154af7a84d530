-- What a sheet reads beside the look back.

-- name: members
-- Officers on each of some days, by id, or of a unit with all below: who served there when the day began; of those who have left
-- the bureau, who wore a device in the time. Where they served out of the reader's scope, their unit of today stands for it.
select o.id, o.number, o.name, day.n - 1 as day, coalesce(served.name, u.name) as unit, coalesce(served.path, u.path) as path
from unnest(%(days)s::timestamptz[]) with ordinality as day(since, n)
cross join officer o join unit u on u.id = o.unit_id
left join membership m on m.officer_id = o.id and m.since <= day.since and coalesce(m.until > day.since, true)
left join unit served on served.id = m.unit_id
where o.id = any(%(ids)s::bigint[]) or starts_with(served.path, (select path from unit where id = %(unit)s))
  and (o.active or exists (select from binding b where b.officer_id = o.id and b.bound_at < %(to)s
    and coalesce(b.released_at > (%(days)s::timestamptz[])[1], true)))
order by o.number, o.id, day.n limit %(limit)s

-- name: out_of_sight
-- How many served in a unit with all below when one of some days began, and belong to a part of the bureau now that the reader
-- does not see.
select count(distinct m.officer_id)::int as officers
from membership m join unit u on u.id = m.unit_id
where starts_with(u.path, (select path from unit where id = %(unit)s))
  and exists (select from unnest(%(days)s::timestamptz[]) as day(since)
    where m.since <= day.since and coalesce(m.until > day.since, true))
  and not exists (select from officer o where o.id = m.officer_id)

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
