-- Talk groups: for people, for the talk server, and for those who take part.

-- name: page
-- Open groups; their unit and members as far as the reader sees them. Members are counted once for the whole page.
with picked as (
  select * from talk_group
  where (%(gid)s::text is null or gid = %(gid)s) and (%(after)s::text is null or gid > %(after)s)
    and closed_at is null and coalesce(until > now(), true)
  order by gid limit %(limit)s
), seated as (
  select gid, jsonb_agg(jsonb_build_object('id', person, 'name', name, 'number', number, 'did', did,
      'listener', listener) order by name, person) as members
    from talk_member where gid in (select gid from picked) group by gid
)
select g.gid, coalesce(g.name, left(u.name, 64)) as name, g.kind, g.duplex, g.created_at, g.until,
  case when u.id is not null then jsonb_build_object('id', u.id, 'name', u.name) end as unit,
  coalesce(s.members, '[]') as members
from picked g left join unit u on u.id = g.unit_id left join seated s on s.gid = g.gid
order by g.gid

-- name: joinable
select g.gid, coalesce(g.name, left(u.name, 64)) as name, g.kind, g.duplex
from talk_group g left join unit u on u.id = g.unit_id
where g.closed_at is null and coalesce(g.until > now(), true)
order by g.kind = 'squad', g.gid limit %(limit)s

-- name: count_made
select count(*) as groups from talk_group
where unit_id = %(unit_id)s and kind <> 'squad' and closed_at is null and coalesce(until > now(), true)

-- name: make
insert into talk_group (gid, unit_id, kind, name, duplex, created_by, until, silence_s)
values (%(gid)s, %(unit_id)s, %(kind)s, %(name)s, %(duplex)s, %(account_id)s, now() + make_interval(secs => %(ttl_s)s), %(ttl_s)s)

-- name: add_members
insert into talk_group_member (gid, person, unit_id, listener)
select %(gid)s, coalesce('u-' || d.account_id, person), null, %(listener)s
  from unnest(%(persons)s::text[]) person left join device d on d.did = person
union all select %(gid)s, null, unit_id, %(listener)s from unnest(%(units)s::bigint[]) unit_id

-- name: close
update talk_group set closed_at = now() where gid = %(gid)s

-- name: known_persons
-- A telephone goes by the name of its device, too: its account takes part.
select person from talk_person where person = any(%(persons)s)
union select did from device where did = any(%(persons)s) and kind = 'phone' and status = 'approved'

-- name: known_units
select id from unit where id = any(%(units)s)

-- name: persons_inside
-- On duty with a fresh fix within a polygon: recorders, and telephones with the page open.
select p.person from talk_person p join device_state s on s.device_id = p.device_id
  join device d on d.id = p.device_id and d.account_id is not distinct from p.account_id
where s.availability = 'online' and s.fix_at > now() - interval '10 minutes'
  and %(area)s::polygon @> point(s.lon, s.lat)
order by p.person limit %(limit)s

-- name: place
select s.lat, s.lon from device d join device_state s on s.device_id = d.id where d.did = %(did)s and s.fix_at is not null

-- name: nearest
-- On duty with a fresh fix; by the haversine formula, mean earth radius 6 371 008.8 m (IUGG).
select p.person from talk_person p join device_state s on s.device_id = p.device_id
  join device d on d.id = p.device_id and d.account_id is not distinct from p.account_id
where s.availability = 'online' and s.fix_at > now() - interval '10 minutes'
  and p.did is distinct from %(did)s
order by asin(least(1, sqrt(sin(radians(s.lat - %(lat)s) / 2) ^ 2
  + cos(radians(s.lat)) * cos(radians(%(lat)s)) * sin(radians(s.lon - %(lon)s) / 2) ^ 2))), p.person
limit %(count)s

-- name: caller
-- An account as a participant.
select person, did, name, number, unit_id from talk_person where account_id = %(account_id)s

-- name: published
-- What the talk server is told: every open group of a tenant, or one, with its members.
select g.gid, coalesce(g.name, left(u.name, 64)) as name, g.kind, u.path, g.duplex, g.until,
  coalesce(m.members, '{}') as members, coalesce(m.listeners, '{}') as listeners
from talk_group g join unit u on u.id = g.unit_id left join (
  select gid, array_agg(person order by person) as members, array_agg(person order by person) filter (where listener) as listeners
  from talk_member where %(gid)s::text is null or gid = %(gid)s group by gid) m on m.gid = g.gid
where u.tenant = %(tenant)s and (%(gid)s::text is null or g.gid = %(gid)s)
  and g.closed_at is null and coalesce(g.until > now(), true)

-- name: invited
-- Recorders that can talk, with their open groups. The key talks in the most pressing one that they may talk in: an emergency,
-- their own first, then a call, then a temporary group, then the squad. They hear the others by rank: the squad, the most
-- urgent, the newest.
with tuned as (
  select p.did, p.name, p.number,
    (array_agg(g.gid order by array_position(array['emergency', 'private', 'temporary', 'squad'], g.kind),
        a.device_id is distinct from d.id, g.created_at desc, g.gid)
      filter (where g.kind not in ('broadcast', 'standing') and not m.listener))[1] as main,
    array_agg(g.gid order by array_position(array['squad', 'emergency', 'broadcast', 'private', 'temporary', 'standing'], g.kind),
      g.created_at desc, g.gid) as gids
  from talk_person p join device d on d.id = p.device_id join device_state s on s.device_id = d.id
    left join talk_member m on m.person = p.person
    left join talk_group g on g.gid = m.gid and g.closed_at is null and coalesce(g.until > now(), true)
    left join alarm a on a.id = g.alarm_id
  where p.account_id is null and d.tenant = %(tenant)s and s.birth -> 'caps' ? 'ptt'
  group by p.did, p.name, p.number
)
select did, name, number, main, array_remove(array_remove(gids, null), main) as scan from tuned

-- name: call_for_sos
-- Once for each alarm; one that is an hour old calls nobody by itself any more.
insert into talk_group (gid, unit_id, kind, name, alarm_id)
  select 'sos-' || a.id, d.unit_id, 'emergency', left('SOS ' || coalesce(o.name, d.did), 64), a.id
    from alarm a join device d on d.id = a.device_id left join officer o on o.id = a.officer_id
    where a.kind = 'sos' and a.state in ('new', 'acknowledged') and not a.late and d.status = 'approved'
      and a.received_at > now() - interval '1 hour'
    order by a.id
  on conflict do nothing returning gid, alarm_id

-- name: join_sos
-- The officer (whose telephone talks as its account), the nearest on duty, and the dispatchers of the squad and above.
with caller as (
  select d.id, coalesce('u-' || d.account_id, d.did) as person, d.did, d.unit_id, u.path, coalesce(s.lat, a.lat) as lat,
      coalesce(s.lon, a.lon) as lon
    from alarm a join device d on d.id = a.device_id join unit u on u.id = d.unit_id
      left join device_state s on s.device_id = d.id where a.id = %(alarm_id)s
), near as (
  select p.person from caller c join device_state s on s.availability = 'online' and s.fix_at > now() - interval '10 minutes'
      join talk_person p on p.device_id = s.device_id and p.did <> c.did
      join device d on d.id = p.device_id and d.account_id is not distinct from p.account_id
    order by asin(least(1, sqrt(sin(radians(s.lat - c.lat) / 2) ^ 2
      + cos(radians(s.lat)) * cos(radians(c.lat)) * sin(radians(s.lon - c.lon) / 2) ^ 2))), p.person
    limit %(count)s
)
insert into talk_group_member (gid, person)
  select %(gid)s, person from caller
  union select %(gid)s, person from near
  union select %(gid)s, 'u-' || a.id from caller c join unit u on c.path like u.path || '%%'
    join account a on a.unit_id = u.id where a.role = 'dispatcher' and a.disabled_at is null

-- name: time_calls_for_sos
-- Some minutes after its alarm is closed, a call is over.
update talk_group g set until = now() + make_interval(secs => %(after_s)s) from alarm a
  where a.id = g.alarm_id and g.until is null and g.closed_at is null and a.state not in ('new', 'acknowledged')

-- name: put_off_ends
-- Whoever talks puts off the end of a group, in steps that are worth telling everybody. A burst without an end goes on.
update talk_group g set until = said.at + make_interval(secs => g.silence_s)
from (select gid, max(at) as at from (
    select gid, case when bool_and(what = 'granted') then now() else max(at) end as at from floor_entry
      where grant_number is not null and at > now() - interval '1 day'
        and gid in (select gid from talk_group where silence_s is not null and closed_at is null and until > now())
      group by gid, grant_number
  ) burst group by gid) said
where g.gid = said.gid and g.closed_at is null and g.until > now()
  and said.at + make_interval(secs => g.silence_s) > g.until + least(interval '1 minute', make_interval(secs => g.silence_s / 4))

-- name: keep_log
-- What is new of the floor log. Whoever barged in, took down or listened in stands in the audit log from now on.
with told as (
  select t.*, coalesce(g.unit_id, top.id) as unit_id
    from unnest(%(id)s::text[], %(gid)s::text[], %(at)s::timestamptz[], %(what)s::text[], %(who)s::text[], %(by)s::text[],
      %(grant)s::bigint[], %(urgency)s::smallint[], %(priority)s::smallint[])
      as t(id, gid, at, what, who, by_whom, grant_number, urgency, priority)
    join unit top on top.tenant = %(tenant)s and top.parent_id is null
    left join talk_group g on g.gid = t.gid
), fresh as (
  insert into floor_entry (id, gid, unit_id, at, what, who, by_whom, grant_number, urgency, priority)
    select id, gid, unit_id, at, what, who, by_whom, grant_number, urgency, priority from told
    on conflict (id) do nothing returning *
), acts as (
  select *, case what when 'listening_in' then who else by_whom end as actor,
      case what when 'preempted' then 'talk.barge' when 'taken_down' then 'talk.take_down' else 'talk.listen_in' end as action
    from fresh where what in ('preempted', 'taken_down', 'listening_in')
)
insert into audit (at, account_id, username, unit_id, action, target, detail)
  select acts.at, a.id, coalesce(a.username, acts.actor), coalesce(a.unit_id, d.unit_id, acts.unit_id), acts.action, acts.gid,
      jsonb_strip_nulls(jsonb_build_object('entry', acts.id, 'talker', case when acts.what <> 'listening_in' then acts.who end))
    from acts left join account a on 'u-' || a.id = acts.actor left join device d on d.did = acts.actor
    where acts.actor is not null

-- name: register_burst
-- Whose it is, is who wore the device when it began, or whose account it was; where, is the last fix before.
insert into burst (id, gid, unit_id, talker, device_id, officer_id, grant_number, urgency, file, started_at, ended_at,
    size_bytes, sha256, lost, complete, lat, lon, fix_at)
  select %(id)s, %(gid)s, coalesce(g.unit_id, top.id), %(talker)s, d.id, coalesce(b.officer_id, a.officer_id), %(grant)s,
      %(urgency)s, %(file)s, %(started_at)s, %(ended_at)s, %(size_bytes)s, %(sha256)s, %(lost)s, %(complete)s,
      p.lat, p.lon, p.fix_at
  from unit top
    left join talk_group g on g.gid = %(gid)s
    left join device d on d.did = %(did)s
    left join account a on 'u-' || a.id = %(talker)s
    left join lateral (select officer_id from binding where device_id = d.id and bound_at <= %(started_at)s
      and coalesce(released_at > %(started_at)s, true) order by bound_at desc limit 1) b on true
    left join lateral (select lat, lon, fix_at from position where device_id = d.id and fix_at <= %(started_at)s
      and fix_at > %(started_at)s::timestamptz - interval '1 hour' order by fix_at desc limit 1) p on true
  where top.tenant = %(tenant)s and top.parent_id is null
  on conflict (id) do nothing
