-- What a look back reads. A stretch is a device from one moment to another, numbered by the question: subjects ask for many.

-- name: officers
-- Also those who have left: what was, stays.
select o.id, o.number, o.name, u.name as unit from officer o join unit u on u.id = o.unit_id where o.id = any(%(ids)s)

-- name: devices
select id, did from device where did = any(%(dids)s)

-- name: worn
-- Whoever binds a device or an officer anew ends what was before, also where nobody released it or the times overlap.
-- A telephone is carried beside the recorder: it counts for an officer while they wear none.
with worn as (
  select b.officer_id, b.device_id, b.phone,
    tstzrange(greatest(b.bound_at, %(from)s), least(b.released_at, again.at, %(to)s)) as during
  from binding b
  cross join lateral (
    select min(n.bound_at) as at from binding n
      where (n.device_id = b.device_id or (n.officer_id = b.officer_id and n.phone = b.phone))
        and (n.bound_at, n.id) > (b.bound_at, b.id)) again
  where b.officer_id = any(%(ids)s) and b.bound_at < %(to)s
    and greatest(b.bound_at, %(from)s) < least(b.released_at, again.at, %(to)s)
)
select w.officer_id, w.device_id, d.did, lower(alone) as since, upper(alone) as until
from worn w join device d on d.id = w.device_id
cross join lateral unnest(tstzmultirange(w.during) - coalesce((
  select range_agg(r.during) from worn r where w.phone and r.officer_id = w.officer_id and not r.phone), '{}')) as alone
order by w.officer_id, since limit %(limit)s

-- name: pieces
-- Whole hours within each stretch that have their shape and were not changed since. Only so many bytes: more is for the reader
-- to refuse.
select n, hour, points, pieces, length_m, moving_s, stops, bytes from (
  select s.n, p.hour, p.points, p.pieces, p.length_m, p.moving_s, p.stops,
    sum(octet_length(p.points)) over (order by s.n, p.hour rows unbounded preceding) as bytes
  from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    as s(n, device_id, since, until)
  join track_piece p on p.device_id = s.device_id and p.hour >= s.since and p.hour <= s.until - interval '1 hour'
    and p.level = %(level)s
  where not exists (select from position_hour_due due where due.device_id = p.device_id and due.hour = p.hour)
) found
where bytes - octet_length(points) <= %(bytes_max)s order by n, hour

-- name: fixes
-- The fixes of each stretch as columns, in order of fix time, in PostgreSQL's binary form of arrays: no row becomes an object.
-- What is not known is NaN, or -1.
select s.n, a.* from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[],
    %(after_sid)s::bigint[], %(after_seq)s::bigint[]) as s(n, device_id, since, until, after_sid, after_seq)
cross join lateral (
  select count(*) as points, array_send(array_agg(date_part('epoch', fix_at))) as time_s,
    array_send(array_agg(date_part('epoch', received_at))) as received_s, array_send(array_agg(lon)) as lon,
    array_send(array_agg(lat)) as lat, array_send(array_agg(coalesce(accuracy_m, 'NaN'))) as accuracy_m,
    array_send(array_agg(coalesce(speed_mps, 'NaN'))) as speed_mps,
    array_send(array_agg(coalesce(course_deg, 'NaN'))) as course_deg, array_send(array_agg(coalesce(hdop, 'NaN'))) as hdop,
    array_send(array_agg(coalesce(fix, -1::smallint))) as fix, array_send(array_agg(coalesce(sat, -1::smallint))) as sat,
    array_send(array_agg(sid)) as sid, array_send(array_agg(seq)) as seq
  from (
    select p.* from position p
    where p.device_id = s.device_id and p.fix_at >= s.since and p.fix_at < s.until
      and (p.fix_at, p.sid, p.seq) > (s.since, s.after_sid, s.after_seq)
    order by p.fix_at, p.sid, p.seq limit %(limit)s) p
) a order by s.n

-- name: neighbours
-- The fixes beside each stretch: they speak for its ends.
select s.n, p.time_s, p.received_s, p.sid, p.seq
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
cross join lateral (
  (select date_part('epoch', fix_at) as time_s, date_part('epoch', received_at) as received_s, sid, seq from position
    where device_id = s.device_id and fix_at < s.since and fix_at >= s.since - interval '1 day'
    order by fix_at desc, sid desc, seq desc limit 1)
  union all
  (select date_part('epoch', fix_at), date_part('epoch', received_at), sid, seq from position
    where device_id = s.device_id and fix_at >= s.until and fix_at < s.until + interval '1 day'
    order by fix_at, sid, seq limit 1)
) p order by s.n, p.time_s

-- name: availability
-- What each device said of itself, and what the broker said of it, with the last word before the stretch and the next after.
select s.n, a.at, a.availability, a.why, a.sid
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
cross join lateral (
  (select at, availability, why, sid from availability
    where device_id = s.device_id and at < s.since and at >= s.since - interval '400 days' order by at desc, sid desc limit 1)
  union all
  (select at, availability, why, sid from availability
    where device_id = s.device_id and at >= s.since and at < s.until order by at, sid limit %(limit)s)
  union all
  (select at, availability, why, sid from availability
    where device_id = s.device_id and at >= s.until and at < s.until + interval '31 days' order by at, sid limit 1)
) a order by s.n, a.at, a.sid

-- name: telemetry
-- When each device told of its condition, whether it had a fix and a signal; with the last word before the stretch. What it did
-- not say is -1, or NaN.
select s.n, t.* from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
cross join lateral (
  select count(*) as points, array_send(array_agg(date_part('epoch', at))) as time_s,
    array_send(array_agg(coalesce((payload ->> 'fix')::smallint, -1::smallint))) as fix,
    array_send(array_agg(coalesce((payload ->> 'signal_dbm')::float8, 'NaN'))) as signal_dbm
  from (
    (select at, payload from telemetry where device_id = s.device_id and at < s.since and at >= s.since - interval '1 day'
      order by at desc, sid desc limit 1)
    union all
    (select at, payload from telemetry where device_id = s.device_id and at >= s.since and at < s.until
      order by at, sid limit %(limit)s)
  ) told
) t order by s.n

-- name: server_states
-- The processes that take positions in: as they stood at the beginning, then what changed, in the order in which it was heard.
select host, at, online from (
  (select distinct on (host) id, host, at, online from server_state
    where host like 'ingest%%' and at <= %(from)s order by host, id desc)
  union all
  (select id, host, at, online from server_state where host like 'ingest%%' and at > %(from)s and at < %(to)s
    order by id limit %(limit)s)
) heard order by id

-- Moments: `n` is the stretch. What lasts is found when it began within a day before the stretch.

-- name: recording_moments
select s.n, d.did, r.started_at as at, r.ended_at as until, r.id, r.why as text,
  jsonb_build_object('url', '/api/v1/recordings/' || r.id || '/file', 'sha256', r.sha256, 'gaps', r.gaps,
    'complete', r.complete, 'size_bytes', r.size_bytes, 'video', r.video, 'audio', r.audio) as detail
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
join recording r on r.device_id = s.device_id and r.started_at < s.until and r.ended_at > s.since
  and r.started_at > s.since - interval '1 day'
join device d on d.id = r.device_id order by at limit %(limit)s

-- name: burst_moments
-- What was said with the device that somebody wore, and what they said with anything else that speaks for them: their telephone
-- beside the recorder, or their account at a desk, where there is no device.
select s.n, d.did, b.started_at as at, b.ended_at as until, b.id, coalesce(g.name, gu.name, b.gid) as text,
  jsonb_build_object('url', '/api/v1/bursts/' || b.id || '/audio', 'sha256', b.sha256, 'group', b.gid,
    'urgency', b.urgency, 'lat', b.lat, 'lon', b.lon) as detail
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(officer_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, officer_id, since, until)
join burst b on b.started_at < s.until and b.ended_at > s.since and b.started_at > s.since - interval '1 day'
  and (b.device_id = s.device_id or b.officer_id = s.officer_id)
left join device d on d.id = b.device_id
left join talk_group g on g.gid = b.gid left join unit gu on gu.id = g.unit_id
order by at limit %(limit)s

-- name: heard_moments
-- What others said in groups that somebody was in then, by the floor log: each burst once, as nobody's of those who are asked for.
-- Whoever joined is in a group until they part or join anew, and is looked for a day back.
with asked as (
  select s.*, d.did, d.account_id, coalesce('o' || s.officer_id, 'd' || d.did) as key
  from unnest(%(n)s::int[], %(device_id)s::bigint[], %(officer_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    as s(n, device_id, officer_id, since, until) left join device d on d.id = s.device_id
), tuned as (
  select a.n, a.key, e.gid, greatest(e.at, a.since) as since, least(e.until, a.until) as until
  from asked a
  cross join lateral (
    select a.did as person union select 'u-' || a.account_id
    union select 'u-' || k.id from account k where k.officer_id = a.officer_id and a.device_id is null) p
  cross join lateral (
    select gid, what, at, lead(at) over (partition by gid order by at, id) as until from floor_entry
    where who = p.person and what in ('joined', 'listening_in', 'parted')
      and at > a.since - interval '1 day' and at < a.until) e
  where e.what <> 'parted' and coalesce(e.until > a.since, true)
), heard as (
  select b.id, min(t.n) as n, jsonb_agg(distinct t.key) as heard_by
  from tuned t join burst b on b.gid = t.gid and b.started_at < t.until and b.ended_at > t.since
    and b.started_at > t.since - interval '1 day'
  where not exists (select from asked a where (b.device_id = a.device_id or b.officer_id = a.officer_id)
    and b.started_at < a.until and b.ended_at > a.since)
  group by b.id
)
select h.n, 'burst' as kind, '' as subject, d.did, b.started_at as at, b.ended_at as until, b.id,
  coalesce(g.name, gu.name, b.gid) || ' · ' || who.name as text,
  jsonb_build_object('url', '/api/v1/bursts/' || b.id || '/audio', 'sha256', b.sha256, 'group', b.gid,
    'urgency', b.urgency, 'lat', b.lat, 'lon', b.lon, 'by', who.name, 'heard_by', h.heard_by) as detail
from heard h join burst b on b.id = h.id
left join device d on d.id = b.device_id left join officer o on o.id = b.officer_id
left join account k on 'u-' || k.id = b.talker
cross join lateral (select coalesce(o.name, k.display_name, b.talker) as name) who
left join talk_group g on g.gid = b.gid left join unit gu on gu.id = g.unit_id
order by at limit %(limit)s

-- name: message_moments
-- Orders by text or by voice to somebody: told as the command that carries them, also to a screen, which needs none.
with asked as (
  select s.*, d.did, d.account_id
  from unnest(%(n)s::int[], %(device_id)s::bigint[], %(officer_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    as s(n, device_id, officer_id, since, until) left join device d on d.id = s.device_id
)
select a.n, 'command' as kind, a.did, m.created_at as at, coalesce(c.finished_at, t.read_at) as until, m.id,
  coalesce(c.name, case when m.text is null then 'play_note' when m.speak then 'say_text' else 'show_text' end) as text,
  jsonb_build_object('args', jsonb_strip_nulls(jsonb_build_object('text', m.text)), 'state', coalesce(c.state, case
      when t.read_at is not null then 'done' when t.why is not null then 'failed'
      when t.delivered_at is not null then 'delivered' else 'queued' end),
    'why', coalesce(t.why, c.why), 'by', m.username, 'to', m.target) as detail
from asked a
cross join lateral (
  select a.did as person union select 'u-' || a.account_id
  union select 'u-' || k.id from account k where k.officer_id = a.officer_id and a.device_id is null) p
join message m on m.created_at >= a.since and m.created_at < a.until
join message_target t on t.message_id = m.id and t.person = p.person
left join command c on c.rid = t.rid
order by at, a.n limit %(limit)s

-- name: alarm_moments
-- Without an end while nobody has closed it. One from before the time is told when it lasted into it: with the device that is asked
-- for, or of the officer who raised it, whatever they wear since.
with asked as (
  select * from unnest(%(n)s::int[], %(device_id)s::bigint[], %(officer_id)s::bigint[], %(since)s::timestamptz[],
    %(until)s::timestamptz[]) as s(n, device_id, officer_id, since, until)
), lasted as not materialized (
  select *, coalesce(cancelled_at, closed_at) as until from alarm
), told as (
  select s.n, a.* from asked s
    join lasted a on a.device_id = s.device_id and a.raised_at >= s.since and a.raised_at < s.until
  union all
  select s.n, a.* from asked s
    join lasted a on a.device_id = s.device_id and a.raised_at < s.since and coalesce(a.until > s.since, true)
    where s.officer_id is null
  union all
  select s.n, a.* from asked s
    join lasted a on a.officer_id = s.officer_id and a.raised_at < s.since and coalesce(a.until > s.since, true)
    where s.device_id is null
)
select a.n, d.did, a.raised_at as at, a.until, a.id::text, a.kind as text,
  jsonb_build_object('severity', a.severity, 'state', a.state, 'late', a.late, 'lat', a.lat, 'lon', a.lon, 'note', a.note,
    'acknowledged_at', a.acknowledged_at, 'closed_at', a.closed_at) as detail
from told a join device d on d.id = a.device_id order by at limit %(limit)s

-- name: event_moments
select s.n, d.did, e.at, null::timestamptz as until, e.id::text, e.type as text,
  jsonb_build_object('late', e.late, 'lat', e.lat, 'lon', e.lon, 'payload', e.payload) as detail
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
join event e on e.device_id = s.device_id and e.at >= s.since and e.at < s.until
join device d on d.id = e.device_id order by at limit %(limit)s

-- name: command_moments
-- Those that carry an order by text or by voice are told as such.
select s.n, d.did, c.created_at as at, c.finished_at as until, c.rid as id, c.name as text,
  jsonb_build_object('args', c.args, 'state', c.state, 'why', c.why, 'by', k.username) as detail
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
join command c on c.device_id = s.device_id and c.created_at >= s.since and c.created_at < s.until and c.name <> 'play_note'
  and not exists (select from message_target t where t.rid = c.rid)
join device d on d.id = c.device_id left join account k on k.id = c.created_by order by at limit %(limit)s

-- name: zone_moments
-- What turned out wrong is not told; of a zone out of the reader's sight only that it was one.
select s.n, d.did, z.fix_at as at, null::timestamptz as until, z.id::text, coalesce(zone.name, '') as text,
  'zone_' || z.kind as kind,
  jsonb_build_object('zone', zone.id, 'zone_kind', zone.kind, 'late', z.late, 'reason', z.reason, 'lat', z.lat, 'lon', z.lon)
    as detail
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
join zone_event z on z.device_id = s.device_id and z.fix_at >= s.since and z.fix_at < s.until and z.withdrawn_at is null
join device d on d.id = z.device_id left join zone on zone.id = z.zone_id order by at limit %(limit)s

-- name: viewing_moments
select s.n, d.did, v.began_at as at, coalesce(v.ended_at, v.seen_at) as until, v.id, v.username as text,
  jsonb_build_object('why', v.why, 'asked_at', v.asked_at) as detail
from unnest(%(n)s::int[], %(device_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
  as s(n, device_id, since, until)
join viewing v on v.device_id = s.device_id and v.began_at < s.until and coalesce(v.ended_at, v.seen_at, v.began_at) >= s.since
  and v.asked_at > s.since - interval '1 day' and v.asked_at < s.until
join device d on d.id = v.device_id order by at limit %(limit)s

-- name: incident_moments
-- Incidents of the subjects, and the steps of each that count. Either is told once, of the first subject that has part in it. An
-- officer has part for the whole time, which is the stretch without a device.
with asked as (
  select s.n, s.since, s.until, coalesce('o' || s.officer_id, 'd' || d.did) as key
  from unnest(%(n)s::int[], %(device_id)s::bigint[], %(officer_id)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    as s(n, device_id, officer_id, since, until)
  left join device d on d.id = s.device_id where s.device_id is null or s.officer_id is null
), part as (
  select i.*, a.n, a.since, a.until, a.key from incident i
  join asked a on a.key = any (i.subjects) and i.began_at < a.until and i.ended_at > a.since
)
(select distinct on (p.id) p.n, null as did, p.began_at as at, p.ended_at as until, p.id::text, p.title as text, 'incident' as kind,
  jsonb_build_object('incident', p.id, 'subjects', p.subjects, 'closed', p.closed_at is not null) as detail
from part p order by p.id, p.n)
union all
(select distinct on (m.id) p.n, null, m.at, null, m.id::text, m.text, 'step_mark',
  jsonb_build_object('incident', p.id, 'title', p.title, 'about', m.subject, 'by', m.author)
from part p join incident_mark m on m.incident_id = p.id and m.struck_at is null and coalesce(m.subject, p.key) = p.key
  and m.at >= p.since and m.at < p.until
order by m.id, p.n)
order by at limit %(limit)s

-- The fleet as it was --------------------------------------------------------------------------------------------------

-- name: probe_plainly
-- For `fleet_devices`: TimescaleDB would ask anew for every device which chunks to leave out, and what differs is the device
-- alone, by which there are no chunks. Half of the time went there.
select set_config('timescaledb.enable_runtime_exclusion', 'off', true)

-- name: fleet_devices
-- In the columns of `fleet.devices`. Who has been silent since before the moment stands where it stood last: that is known. For all
-- others one probe of an index for each device and table. Units are those of today.
select d.did, d.kind, d.serial, d.unit_id as unit, u.path, o.id as officer_id, o.number as num, o.name, o.pinyin as py,
    p.lat, p.lon, p.accuracy_m as acc, p.speed_mps as spd, p.course_deg as cog, p.sat, p.bds,
    coalesce(a.availability, 'offline') as st, a.why, a.sid as st_sid, t.payload as tele, (sh.reported -> 'config')::text as config,
    (extract(epoch from p.fix_at) * 1000)::bigint as tms, (extract(epoch from a.at) * 1000)::bigint as st_ms,
    nullif(coalesce(case when t.at > p.fix_at then t.payload ->> 'rec' else p.rec end, ''), '') as rec
  from device d
  join unit u on u.id = d.unit_id
  left join device_shadow sh on sh.device_id = d.id
  left join device_state s on s.device_id = d.id
  left join lateral (
    select s.fix_at, s.lat, s.lon, s.accuracy_m, s.speed_mps, s.course_deg, s.sat, s.bds, s.rec
      where s.fix_at <= %(at)s and s.fix_at > %(at)s::timestamptz - interval '31 days'
    union all
    (select fix_at, lat, lon, accuracy_m, speed_mps, course_deg, sat, bds, rec from position
      where coalesce(s.fix_at > %(at)s, true) and device_id = d.id and fix_at <= %(at)s
        and fix_at > %(at)s::timestamptz - interval '31 days' order by fix_at desc, sid desc, seq desc limit 1)) p on true
  left join lateral (select * from availability where device_id = d.id and at <= %(at)s
    and at > %(at)s::timestamptz - interval '400 days' order by at desc, sid desc limit 1) a on true
  left join lateral (
    select s.telemetry_at as at, s.telemetry as payload
      where s.telemetry_at <= %(at)s and s.telemetry_at > %(at)s::timestamptz - interval '31 days'
    union all
    (select at, payload from telemetry
      where coalesce(s.telemetry_at > %(at)s, true) and device_id = d.id and at <= %(at)s
        and at > %(at)s::timestamptz - interval '31 days' order by at desc, sid desc limit 1)) t on true
  left join lateral (select * from binding where device_id = d.id and bound_at <= %(at)s
    order by bound_at desc, id desc limit 1) b on coalesce(b.released_at > %(at)s, true)
  left join officer o on o.id = b.officer_id
  where d.created_at <= %(at)s and d.status <> 'pending'
  order by d.did

-- name: fleet_alarms
-- In the columns of `fleet.alarms`: those that somebody still had to do something about.
select a.id, d.did, a.kind, a.severity, a.late, a.lat, a.lon, '' as note, k.username as acknowledged_by, u.path,
    case when a.acknowledged_at <= %(at)s then 'acknowledged' else 'new' end as state,
    o.id as officer_id, o.number as officer_number, o.name as officer_name, u.id as unit_id, u.name as unit_name,
    (extract(epoch from a.raised_at) * 1000)::bigint as raised_ms,
    (extract(epoch from a.fix_at) * 1000)::bigint as fix_ms,
    case when a.cancelled_at <= %(at)s then (extract(epoch from a.cancelled_at) * 1000)::bigint end as cancelled_ms,
    case when a.acknowledged_at <= %(at)s then (extract(epoch from a.acknowledged_at) * 1000)::bigint end as acknowledged_ms
  from alarm a
  join device d on d.id = a.device_id
  join unit u on u.id = d.unit_id
  left join officer o on o.id = a.officer_id
  left join account k on k.id = a.acknowledged_by and a.acknowledged_at <= %(at)s
  where a.raised_at <= %(at)s and a.received_at <= %(at)s and coalesce(a.closed_at > %(at)s, true)
  order by a.raised_at limit 2000
