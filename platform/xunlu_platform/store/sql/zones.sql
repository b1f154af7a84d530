-- Zones: for people who draw them, for ingest that watches them, and for what came of it.

-- name: page
-- Zones as they were or are at a moment, with whom they concern.
select z.id, z.name, z.kind, jsonb_build_object('id', u.id, 'name', u.name) as unit, v.id as version_id, v.shape, v.dwell_s_max, v.severity,
  to_char(v.window_from, 'HH24:MI') as window_from, to_char(v.window_to, 'HH24:MI') as window_to, v.weekdays,
  v.valid_from, v.valid_to,
  coalesce((select jsonb_agg(jsonb_build_object('id', au.id, 'name', au.name) order by au.name)
    from zone_audience a join unit au on au.id = a.unit_id
    where a.zone_id = z.id and a.since <= v.valid_from and coalesce(a.until > v.valid_from, true)), '[]') as units,
  coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) order by o.number)
    from zone_audience a join officer o on o.id = a.officer_id
    where a.zone_id = z.id and a.since <= v.valid_from and coalesce(a.until > v.valid_from, true)), '[]') as officers
from zone z join unit u on u.id = z.unit_id
  join zone_version v on v.zone_id = z.id and v.valid_from <= coalesce(%(at)s::timestamptz, now())
    and coalesce(v.valid_to > coalesce(%(at)s::timestamptz, now()), true)
where (%(id)s::bigint is null or z.id = %(id)s) and (%(kind)s::text is null or z.kind = %(kind)s)
  and (%(after)s::bigint is null or z.id > %(after)s)
order by z.id limit %(limit)s

-- name: versions
-- All shapes that a zone has had, newest first.
select v.id as version_id, v.shape, v.dwell_s_max, v.severity, to_char(v.window_from, 'HH24:MI') as window_from,
  to_char(v.window_to, 'HH24:MI') as window_to, v.weekdays, v.valid_from, v.valid_to, a.username as made_by
from zone_version v left join account a on a.id = v.created_by
where v.zone_id = %(id)s order by v.valid_from desc, v.id desc limit 200

-- name: count
select count(*) as zones from zone where ended_at is null

-- name: insert
insert into zone (unit_id, kind, name, pinyin, created_by)
values (%(unit_id)s, %(kind)s, %(name)s, %(pinyin)s, %(account_id)s) returning id

-- name: insert_version
insert into zone_version (zone_id, shape, dwell_s_max, severity, window_from, window_to, weekdays, created_by)
values (%(zone_id)s, %(shape)s, %(dwell_s_max)s, %(severity)s, %(window_from)s, %(window_to)s, %(weekdays)s::smallint[], %(account_id)s)

-- name: close_version
update zone_version set valid_to = now() where zone_id = %(id)s and valid_to is null

-- name: rename
update zone set name = %(name)s, pinyin = %(pinyin)s where id = %(id)s

-- name: end
update zone set ended_at = now() where id = %(id)s and ended_at is null

-- name: close_audience
update zone_audience set until = now() where zone_id = %(id)s and until is null

-- name: add_audience
insert into zone_audience (zone_id, unit_id, officer_id, since)
select %(id)s, unit_id, null, now() from unnest(%(units)s::bigint[]) unit_id
union all select %(id)s, null, officer_id, now() from unnest(%(officers)s::bigint[]) officer_id

-- name: known
-- Units and officers of a list that the reader sees.
select array(select id from unit where id = any(%(units)s)) as units,
  array(select id from officer where id = any(%(officers)s)) as officers

-- name: movements
-- Comings and goings, newest first; withdrawn ones only when asked for. Of a zone out of the reader's sight only that it was one.
select e.id::text as id, d.did, e.kind, e.fix_at as at, e.lat, e.lon, e.reason, e.late, e.withdrawn_at, a.severity,
  case when z.id is not null then jsonb_build_object('id', z.id, 'name', z.name, 'kind', z.kind) end as zone,
  case when o.id is not null then jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) end as officer
from zone_event e join device d on d.id = e.device_id left join zone z on z.id = e.zone_id
  left join officer o on o.id = e.officer_id
  left join alarm a on a.zone_id = e.zone_id and a.fix_at = e.fix_at and a.device_id = e.device_id and a.kind = 'zone_' || e.kind
where (%(zone)s::bigint is null or e.zone_id = %(zone)s) and (%(did)s::text is null or d.did = %(did)s)
  and (%(from)s::timestamptz is null or e.fix_at >= %(from)s) and (%(to)s::timestamptz is null or e.fix_at < %(to)s)
  and (%(withdrawn)s or e.withdrawn_at is null)
  and (%(after_at)s::timestamptz is null or (e.fix_at, e.id) < (%(after_at)s, %(after_id)s::bigint))
order by e.fix_at desc, e.id desc limit %(limit)s

-- name: watched
-- Every version that holds between two moments, of all zones or of one, with the paths of the units and the officers whom it
-- concerned from its beginning on.
select z.id as zone_id, z.kind, v.id as version_id, v.shape, v.dwell_s_max, v.severity, v.window_from, v.window_to, v.weekdays,
  v.valid_from, v.valid_to,
  case when named.paths is null then array[u.path] else array_remove(named.paths, null) end as paths,
  array_remove(coalesce(named.officers, '{}'), null) as officers
from zone z join unit u on u.id = z.unit_id join zone_version v on v.zone_id = z.id
  cross join lateral (select array_agg(au.path) as paths, array_agg(a.officer_id) as officers
    from zone_audience a left join unit au on au.id = a.unit_id
    where a.zone_id = z.id and a.since <= v.valid_from and coalesce(a.until > v.valid_from, true)) named
where v.valid_from < %(to)s::timestamptz and coalesce(v.valid_to > %(from)s::timestamptz, true)
  and (%(zone)s::bigint is null or z.id = %(zone)s)
order by v.id

-- name: newest_change
-- Another answer when any zone has changed, or a unit has moved.
select coalesce((select max(id) from zone_version), 0) as version, coalesce((select max(id) from zone_audience), 0) as audience,
  (select count(*) from zone_version where valid_to is null) as in_force, (select md5(string_agg(path, ' ' order by id)) from unit) as paths

-- name: standing
-- Whose the devices are, and where they stand.
select d.id as device, coalesce(ou.path, u.path) as path, b.officer_id as officer, w.state
from device d join unit u on u.id = d.unit_id
  left join binding b on b.device_id = d.id and b.released_at is null
  left join officer o on o.id = b.officer_id left join unit ou on ou.id = o.unit_id
  left join zone_watch w on w.device_id = d.id
where d.id = any(%(devices)s)

-- name: stand
insert into zone_watch (device_id, fix_at, state)
select * from unnest(%(device)s::bigint[], %(fix_at)s::timestamptz[], %(state)s::text[]::jsonb[])
on conflict (device_id) do update set fix_at = excluded.fix_at, state = excluded.state

-- name: add_events
-- A second time changes nothing; but what was withdrawn and turns out true after all holds again.
insert into zone_event as e (device_id, officer_id, zone_id, version_id, kind, fix_at, lat, lon, reason, late)
select * from unnest(%(device)s::bigint[], %(officer)s::bigint[], %(zone)s::bigint[], %(version)s::bigint[], %(kind)s::text[],
  %(fix_at)s::timestamptz[], %(lat)s::float8[], %(lon)s::float8[], %(reason)s::text[], %(late)s::boolean[])
on conflict (device_id, version_id, kind, fix_at) do update set withdrawn_at = null, late = true, changed_at = now()
  where e.withdrawn_at is not null
returning device_id, id

-- name: raise
insert into alarm (device_id, officer_id, zone_id, kind, severity, sid, seq, raised_at, received_at, lat, lon, fix_at)
select device, officer, zone, kind, severity, sid, seq, fix_at, now(), lat, lon, fix_at
from unnest(%(device)s::bigint[], %(officer)s::bigint[], %(zone)s::bigint[], %(kind)s::text[], %(severity)s::smallint[],
  %(sid)s::bigint[], %(seq)s::bigint[], %(fix_at)s::timestamptz[], %(lat)s::float8[], %(lon)s::float8[])
  as t(device, officer, zone, kind, severity, sid, seq, fix_at, lat, lon)
on conflict do nothing returning device_id, id

-- name: correct_alarms
-- Alarms of a stretch say what its events say: a withdrawn one is marked, and closed where nobody has it yet; one that turns out
-- true after all waits for somebody again.
update alarm a set withdrawn_at = e.withdrawn_at,
  state = case when a.acknowledged_at is not null then a.state when e.withdrawn_at is null then 'new' else 'false' end,
  closed_at = case when a.acknowledged_at is not null then a.closed_at else e.withdrawn_at end
from zone_event e
where e.device_id = %(device)s and e.fix_at > %(after)s and coalesce(e.fix_at <= %(to)s::timestamptz, true) and a.device_id = e.device_id and a.zone_id = e.zone_id
  and a.fix_at = e.fix_at and a.kind = 'zone_' || e.kind and (a.withdrawn_at is null) <> (e.withdrawn_at is null)
returning a.device_id, a.id

-- name: note_due
-- A review that has got beyond the oldest of these fixes begins anew.
insert into zone_due as d (device_id, since, until)
select * from unnest(%(device)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
on conflict (device_id) do update set since = least(d.since, excluded.since), until = greatest(d.until, excluded.until),
  state = case when extract(epoch from excluded.since) * 1000 > (d.state -> 'heard' ->> 0)::bigint then d.state end

-- name: take_due
-- One device whose past has changed, whichever waits longest. The lock keeps ingest away from it, as it keeps ingest's workers away
-- from each other; a device that ingest has just now is left for later.
with mine as (select d.device_id from zone_due d join device_state s on s.device_id = d.device_id
  where d.noted_at < %(before)s order by d.noted_at limit 1 for update of s skip locked)
delete from zone_due d using mine where d.device_id = mine.device_id
returning d.device_id as device, d.since, d.until, d.state

-- name: go_on
-- The review of a device has got so far; the others come first.
insert into zone_due (device_id, since, until, state) values (%(device)s, %(since)s, %(until)s, %(state)s::jsonb)

-- name: rest_before
-- The last fix before a silence that ends every visit, however long ago: from there on the past can be looked at anew.
with known as (
  (select fix_at, lon, lat from position where device_id = %(device)s and fix_at < %(from)s order by fix_at desc limit 1)
  union all
  select fix_at, lon, lat from position where device_id = %(device)s and fix_at >= %(from)s and fix_at <= %(since)s
), stretch as (select fix_at, lon, lat, lead(fix_at) over (order by fix_at) as next_at from known)
select fix_at, lon, lat from stretch where next_at - fix_at > make_interval(secs => %(gap_s)s)
order by fix_at desc limit 1

-- name: fixes
-- A stretch of a device in order of fix time, for another look at its zones.
select (extract(epoch from fix_at) * 1000)::bigint as time_ms, lon, lat, accuracy_m,
  coalesce(sat >= 4, true) and coalesce(hdop <= 5, true) as confident
from position where device_id = %(device)s and fix_at > %(after)s
order by fix_at, sid, seq limit %(limit)s

-- name: worn
-- Whose a device was, when, and in which unit they served then.
select d.id as device, b.officer_id as officer, coalesce(mu.path, u.path) as path, u.path as device_path,
  greatest(b.bound_at, m.since) as since, least(b.released_at, m.until) as until
from device d join unit u on u.id = d.unit_id left join binding b on b.device_id = d.id
  left join membership m on m.officer_id = b.officer_id and m.since < coalesce(b.released_at, 'infinity') and coalesce(m.until > b.bound_at, true)
  left join unit mu on mu.id = m.unit_id
where d.id = %(device)s order by since desc

-- name: shifts
-- When officers were rostered in zones within a time; a shift that was taken back held until then.
select officer_id as officer, zone_id as zone, begins_at as since, least(ends_at, withdrawn_at) as until from shift
where officer_id = any(%(officers)s) and zone_id is not null and begins_at <= %(to)s::timestamptz
  and begins_at > %(from)s::timestamptz - interval '24 hours' and ends_at > %(from)s and coalesce(withdrawn_at > begins_at, true)

-- name: known_events
select version_id as version, kind, (extract(epoch from fix_at) * 1000)::bigint as at_ms from zone_event
where device_id = %(device)s and fix_at > %(after)s and coalesce(fix_at <= %(to)s::timestamptz, true) and withdrawn_at is null

-- name: withdraw
update zone_event e set withdrawn_at = now(), changed_at = now()
from unnest(%(version)s::bigint[], %(kind)s::text[], %(fix_at)s::timestamptz[]) as gone(version, kind, fix_at)
where e.device_id = %(device)s and e.version_id = gone.version and e.kind = gone.kind and e.fix_at = gone.fix_at
  and e.withdrawn_at is null
returning e.device_id, e.id

-- name: silent
-- Devices that were somewhere and have not been heard of since.
select w.device_id as device, w.state from zone_watch w join device_state s on s.device_id = w.device_id
where w.fix_at < %(before)s and w.state -> 'zones' <> '[]'
order by w.device_id limit 500 for update of s skip locked

-- name: posts
-- Posts of which a version holds now, and whom it concerns as in `watched`.
select z.id as zone_id, u.path, v.id as version_id, v.window_from, v.window_to, v.weekdays,
  case when named.paths is null then array[u.path] else array_remove(named.paths, null) end as paths,
  array_remove(coalesce(named.officers, '{}'), null) as officers
from zone z join unit u on u.id = z.unit_id join zone_version v on v.zone_id = z.id and v.valid_to is null
  cross join lateral (select array_agg(au.path) as paths, array_agg(a.officer_id) as officers
    from zone_audience a left join unit au on au.id = a.unit_id
    where a.zone_id = z.id and a.since <= v.valid_from and coalesce(a.until > v.valid_from, true)) named
where z.kind = 'post'
order by z.id

-- name: inside
-- Who is inside of some versions, the states of devices that have been heard of since then; phases from `INSIDE` on.
select (s.value ->> 0)::bigint as version, d.id as device, d.did, du.path as device_path, coalesce(ou.path, du.path) as path,
  o.id as officer, o.number, o.name, to_timestamp((s.value ->> 2)::float8 / 1000) as since
from zone_watch w cross join lateral jsonb_array_elements(w.state -> 'zones') s
  join device d on d.id = w.device_id join unit du on du.id = d.unit_id
  left join binding b on b.device_id = d.id and b.released_at is null
  left join officer o on o.id = b.officer_id left join unit ou on ou.id = o.unit_id
where w.fix_at >= %(heard)s and w.state -> 'zones' <> '[]'
  and (s.value ->> 0)::bigint = any(%(versions)s) and (s.value ->> 1)::int >= %(phase)s
order by since, d.id

-- name: left_at
-- When somebody last left each zone; null: nobody ever did.
select z.id as zone_id, (select max(e.fix_at) from zone_event e
  where e.zone_id = z.id and e.kind = 'leave' and e.withdrawn_at is null) as at
from unnest(%(zones)s::bigint[]) as z(id)

-- name: concerned
-- Officers who served at any moment of a time in some units with all below, and others by name; also those who have left: what
-- was, stays.
select o.id, o.number, o.name from officer o
where o.id = any(%(officers)s::bigint[])
  or exists (select from membership m join unit u on u.id = m.unit_id
    join unnest(%(paths)s::text[]) as concerned(path) on starts_with(u.path, concerned.path)
    where m.officer_id = o.id and m.since < %(to)s and coalesce(m.until > %(from)s, true))
order by o.number, o.id limit %(limit)s

-- name: near
-- The fixes of each stretch within a box as columns, in order of fix time, in PostgreSQL's binary form of arrays. What is not
-- known is NaN, or -1.
select a.* from unnest(%(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    with ordinality as s(device_id, since, until, n)
cross join lateral (
  select array_send(array_agg(date_part('epoch', fix_at))) as time_s,
    array_send(array_agg(date_part('epoch', received_at))) as received_s, array_send(array_agg(lon)) as lon,
    array_send(array_agg(lat)) as lat, array_send(array_agg(coalesce(accuracy_m, 'NaN'))) as accuracy_m,
    array_send(array_agg(coalesce(speed_mps, 'NaN'))) as speed_mps, array_send(array_agg(coalesce(hdop, 'NaN'))) as hdop,
    array_send(array_agg(coalesce(fix, -1::smallint))) as fix, array_send(array_agg(coalesce(sat, -1::smallint))) as sat,
    array_send(array_agg(sid)) as sid, array_send(array_agg(seq)) as seq
  from (
    select p.* from position p
    where p.device_id = s.device_id and p.fix_at >= s.since and p.fix_at < s.until
      and p.lon between %(west)s and %(east)s and p.lat between %(south)s and %(north)s
    order by p.fix_at, p.sid, p.seq limit %(limit)s) p
) a order by s.n
