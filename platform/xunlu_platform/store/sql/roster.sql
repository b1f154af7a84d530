-- The roster: its shifts as people make them, and as reports and gaps ask for them.

-- name: page
-- Shifts that overlap a time, in order of their beginning. A shift lasts a day at most.
select s.id, jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) as officer, s.begins_at, s.ends_at,
  case when z.id is not null then jsonb_build_object('id', z.id, 'name', z.name, 'kind', z.kind) end as zone, s.note,
  made.username as made_by, s.created_at as made_at, gone.username as withdrawn_by, s.withdrawn_at
from shift s join officer o on o.id = s.officer_id left join zone z on z.id = s.zone_id
  left join account made on made.id = s.created_by left join account gone on gone.id = s.withdrawn_by
where (%(id)s::bigint is null or s.id = %(id)s) and (%(officer)s::bigint is null or s.officer_id = %(officer)s)
  and (%(from)s::timestamptz is null or s.begins_at > %(from)s::timestamptz - interval '24 hours' and s.ends_at > %(from)s)
  and (%(to)s::timestamptz is null or s.begins_at < %(to)s) and (%(withdrawn)s or s.withdrawn_at is null)
  and (%(unit)s::bigint is null or o.unit_id in (
    select below.id from unit top join unit below on below.path like top.path || '%%' where top.id = %(unit)s))
  and (%(after_at)s::timestamptz is null or (s.begins_at, s.id) > (%(after_at)s, %(after_id)s::bigint))
order by s.begins_at, s.id limit %(limit)s

-- name: hold
-- One writer at a time for each officer: two that do not see each other would wait for one another.
select id, number, active from officer where id = any(%(officers)s) order by id for no key update

-- name: add
insert into shift (officer_id, begins_at, ends_at, zone_id, note, created_by)
select officer_id, begins_at, ends_at, zone_id, note, %(account_id)s::bigint
from unnest(%(officer_id)s::bigint[], %(begins_at)s::timestamptz[], %(ends_at)s::timestamptz[], %(zone_id)s::bigint[],
  %(note)s::text[]) as added(officer_id, begins_at, ends_at, zone_id, note)
returning id

-- name: withdraw
-- Once: whoever comes second finds nothing.
update shift set withdrawn_at = now(), withdrawn_by = %(account_id)s::bigint where id = %(id)s and withdrawn_at is null

-- name: copy
-- The shifts of a unit that begin within a time, at the same local time some days later. Who has left and who is on another
-- shift then are left out, and a post that is no longer in force.
insert into shift (officer_id, begins_at, ends_at, zone_id, note, created_by)
select s.officer_id, later.begins_at, later.ends_at, z.id, s.note, %(account_id)s::bigint
from shift s join officer o on o.id = s.officer_id left join zone z on z.id = s.zone_id and z.ended_at is null
cross join lateral (select
  (s.begins_at at time zone %(time_zone)s::text + make_interval(days => %(days)s::int)) at time zone %(time_zone)s::text as begins_at,
  (s.ends_at at time zone %(time_zone)s::text + make_interval(days => %(days)s::int)) at time zone %(time_zone)s::text as ends_at) later
where s.withdrawn_at is null and s.begins_at >= %(from)s and s.begins_at < %(to)s and o.active
  and later.ends_at > later.begins_at and later.ends_at - later.begins_at <= interval '24 hours'
  and o.unit_id in (select below.id from unit top join unit below on below.path like top.path || '%%' where top.id = %(unit)s)
order by s.officer_id, s.begins_at
on conflict do nothing returning id

-- name: count
-- Shifts of a unit that begin within a time.
select count(*) as shifts from shift s join officer o on o.id = s.officer_id
where s.withdrawn_at is null and s.begins_at >= %(from)s and s.begins_at < %(to)s
  and o.unit_id in (select below.id from unit top join unit below on below.path like top.path || '%%' where top.id = %(unit)s)

-- name: officers_called
-- Officers of a unit, or of all, who have one of the numbers or names.
select o.id, o.number, o.name, o.active from officer o
where (o.number = any(%(numbers)s) or o.name = any(%(names)s)) and (%(unit)s::bigint is null or o.unit_id in (
  select below.id from unit top join unit below on below.path like top.path || '%%' where top.id = %(unit)s))
order by o.id

-- name: zones_called
-- Zones in force by name.
select id, name, kind from zone where name = any(%(names)s) and ended_at is null order by id

-- name: zone
select id, name from zone where id = %(id)s and ended_at is null

-- name: rostered
-- The shifts of some officers that overlap a time.
select s.id, s.officer_id, s.begins_at, s.ends_at, s.zone_id, z.name as zone
from shift s left join zone z on z.id = s.zone_id
where s.withdrawn_at is null and s.officer_id = any(%(officers)s) and s.begins_at < %(to)s
  and s.begins_at > %(from)s::timestamptz - interval '24 hours' and s.ends_at > %(from)s
order by s.officer_id, s.begins_at

-- name: posted
-- Officers who have a shift in a zone.
select distinct o.id, o.number, o.name from shift s join officer o on o.id = s.officer_id
where s.withdrawn_at is null and s.zone_id = %(zone)s and s.begins_at < %(to)s
  and s.begins_at > %(from)s::timestamptz - interval '24 hours' and s.ends_at > %(from)s
order by o.number, o.id limit %(limit)s
