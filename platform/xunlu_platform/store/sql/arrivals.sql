-- One ingest transaction, in this order. All of it happens under the row locks of `lock_devices`, taken in the order of
-- the ids, so that two workers with messages of the same device wait for each other instead of mixing.

-- name: stage
-- Where a batch's fixes land before they are compared with what is stored. Once for each connection.
create temporary table if not exists staged_position (like position) on commit delete rows

-- name: copy_positions
copy staged_position (device_id, fix_at, sid, seq, received_at, lat, lon, alt_m, speed_mps, course_deg, accuracy_m, hdop,
  battery_percent, fix, sat, bds, late, rec) from stdin (format binary)

-- name: devices
-- Who writes: for the registry of a worker.
select id, did, tenant, kind, status from device where did = any(%s)

-- name: ensure_states
insert into device_state (device_id) select unnest(%s::bigint[]) on conflict do nothing

-- name: lock_devices
select device_id from device_state where device_id = any(%s) order by device_id for update

-- name: insert_positions
-- A sequence that is held was stored before, whatever its time: a second arrival changes nothing.
insert into position
  select s.* from staged_position s
  left join device_session h on h.device_id = s.device_id and h.sid = s.sid
  where h.held is null or not h.held @> s.seq
  on conflict do nothing

-- name: newest_positions
-- The newest fix of every device of the batch becomes its last known one. One that was taken after the connection was lost came over
-- another connection: workers may store the word of the old one last.
update device_state d set fix_at = s.fix_at, lat = s.lat, lon = s.lon, accuracy_m = s.accuracy_m, speed_mps = s.speed_mps,
    course_deg = s.course_deg, sat = s.sat, bds = s.bds, rec = s.rec, changed_at = now(),
    availability = case when d.why = 'lost' and s.fix_at > d.availability_at then 'online' else d.availability end,
    availability_at = case when d.why = 'lost' then greatest(d.availability_at, s.fix_at) else d.availability_at end,
    why = case when d.why = 'lost' and s.fix_at > d.availability_at then null else d.why end
  from (select distinct on (device_id) * from staged_position order by device_id, fix_at desc, seq desc) s
  where d.device_id = s.device_id and (d.fix_at is null or d.fix_at < s.fix_at)

-- name: hours_due
-- Fixes of hours that are over: their roll-up is out of date. So is, after late ones, the shape of an hour that they lie beside
-- (`xunlu_platform.review.shape`).
insert into position_hour_due as due (device_id, hour)
  select distinct s.device_id, h.hour from staged_position s
    cross join lateral (values (date_trunc('hour', fix_at), true),
      (date_trunc('hour', fix_at + interval '15 minutes'), late), (date_trunc('hour', fix_at - interval '5 minutes'), late))
      as h(hour, counts)
    where h.counts and h.hour < date_trunc('hour', now())
    order by 1, 2
  on conflict (device_id, hour) do update set mark = due.mark + 1

-- name: hold
-- Note what is held and what will never come; tell what to confirm. `missing` is empty in the normal case. A session with
-- nothing to note is only asked for.
insert into device_session as s (device_id, sid, held, given_up)
  select * from unnest(%(device)s::bigint[], %(sid)s::bigint[], %(held)s::text[]::int8multirange[],
    %(given_up)s::text[]::int8multirange[])
  on conflict (device_id, sid) do update
    set held = s.held + excluded.held, given_up = s.given_up + excluded.given_up, changed_at = now()
  returning device_id, sid, coalesce(upper(held + given_up) - 1, 0) as upto, pg_column_size(held + given_up) as bytes,
    (int8multirange(int8range(1, coalesce(upper(held + given_up), 1))) - held - given_up)::text as missing

-- name: birth
update device_state set birth_sid = %(sid)s, birth = %(birth)s, changed_at = now()
  where device_id = %(device)s and birth_sid <= %(sid)s

-- name: availability
-- An `offline` of a session before the newest birth is a stale will; the same state again changes nothing.
with changed as (
  update device_state d set availability = %(st)s, availability_sid = %(sid)s, availability_at = %(at)s, why = %(why)s::text,
      changed_at = now()
    where device_id = %(device)s and %(sid)s::bigint >= birth_sid and %(sid)s::bigint >= availability_sid
      and (availability, availability_sid, coalesce(why, ''))
        is distinct from (%(st)s::text, %(sid)s::bigint, coalesce(%(why)s::text, ''))
    returning device_id)
insert into availability (device_id, at, received_at, sid, availability, why)
  select device_id, %(at)s::timestamptz, %(received_at)s::timestamptz, %(sid)s::bigint, %(st)s::text, %(why)s::text
    from changed
  on conflict do nothing

-- name: telemetry
insert into telemetry (device_id, at, received_at, sid, payload)
  select * from unnest(%(device)s::bigint[], %(at)s::timestamptz[], %(received_at)s::timestamptz[], %(sid)s::bigint[],
    %(payload)s::text[]::jsonb[])
  on conflict do nothing

-- name: newest_telemetry
update device_state d set telemetry = s.payload, telemetry_at = s.at, changed_at = now()
  from (
    select distinct on (device_id) device_id, at, payload
      from unnest(%(device)s::bigint[], %(at)s::timestamptz[], %(payload)s::text[]::jsonb[]) as t(device_id, at, payload)
      order by device_id, at desc) s
  where d.device_id = s.device_id and (d.telemetry_at is null or d.telemetry_at < s.at)

-- name: event
insert into event (device_id, at, received_at, sid, seq, type, lat, lon, payload, late)
  select %(device)s::bigint, %(at)s::timestamptz, %(received_at)s::timestamptz, %(sid)s::bigint, %(seq)s::bigint, %(type)s::text,
    %(lat)s::float8, %(lon)s::float8, %(payload)s::jsonb, %(late)s::boolean
  where not exists (
    select from device_session where device_id = %(device)s and sid = %(sid)s and held @> %(seq)s::bigint)
  on conflict do nothing
  returning id

-- name: raise_alarm
-- Without a position of its own an alarm carries the last known one, with its time. An SOS may come after what cancelled it.
insert into alarm (device_id, officer_id, kind, severity, sid, seq, raised_at, received_at, late, lat, lon, fix_at, cancelled_at)
  select d.device_id, b.officer_id, %(type)s::text, %(severity)s::smallint, %(sid)s::bigint, %(seq)s::bigint,
      %(at)s::timestamptz, %(received_at)s::timestamptz, %(late)s::boolean,
      coalesce(%(lat)s::float8, d.lat), coalesce(%(lon)s::float8, d.lon),
      case when %(lat)s::float8 is null then d.fix_at else %(fix_at)s::timestamptz end,
      case when %(type)s::text = 'sos' then (select min(c.at) from event c
        where c.device_id = d.device_id and c.type = 'sos_cancel' and c.at >= %(at)s::timestamptz) end
    from device_state d
    left join binding b on b.device_id = d.device_id and b.released_at is null
    where d.device_id = %(device)s
  on conflict do nothing
  returning id

-- name: cancel_alarm
update alarm set cancelled_at = %(at)s
  where device_id = %(device)s and kind = 'sos' and cancelled_at is null and state in ('new', 'acknowledged')
    and raised_at <= %(at)s
  returning id

-- name: reply
-- A command moves forward only.
update command set state = %(st)s, code = %(code)s, why = coalesce(%(why)s::text, why),
    progress = coalesce(%(progress)s::real, progress),
    result = coalesce(%(result)s::jsonb, result),
    delivered_at = coalesce(delivered_at, %(received_at)s::timestamptz),
    accepted_at = case when %(st)s::text in ('accepted', 'running', 'done') then coalesce(accepted_at, %(received_at)s::timestamptz) else accepted_at end,
    running_at = case when %(st)s::text = 'running' then coalesce(running_at, %(received_at)s::timestamptz) else running_at end,
    finished_at = case when %(st)s::text in ('rejected', 'done', 'failed') then %(received_at)s::timestamptz else finished_at end
  where rid = %(rid)s and device_id = %(device)s and state not in ('rejected', 'done', 'failed')
    and array_position(array['queued', 'delivered', 'expired', 'accepted', 'running', 'done', 'failed', 'rejected'], state)
      <= array_position(array['queued', 'delivered', 'expired', 'accepted', 'running', 'done', 'failed', 'rejected'], %(st)s::text)
  returning rid

-- name: shadow_reported
insert into device_shadow (device_id, reported, reported_at) values (%(device)s, %(reported)s::jsonb, %(received_at)s)
  on conflict (device_id) do update set reported = excluded.reported, reported_at = excluded.reported_at

-- name: dead_letters
insert into dead_letter (topic, reason, message, payload)
  select * from unnest(%(topic)s::text[], %(reason)s::text[], %(message)s::text[], %(payload)s::bytea[])
