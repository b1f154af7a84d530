-- What the API processes keep in memory of every device, and what they read again when something was committed.

-- name: devices
-- All approved devices, or some of them.
select d.did, d.kind, d.serial, d.unit_id as unit, u.path, o.id as officer_id, o.number as num, o.name, o.pinyin as py,
    s.lat, s.lon, s.accuracy_m as acc, s.speed_mps as spd, s.course_deg as cog, s.sat, s.bds, s.availability as st, s.why,
    s.availability_sid as st_sid, s.telemetry as tele, (sh.reported -> 'config')::text as config,
    (extract(epoch from s.fix_at) * 1000)::bigint as tms,
    (extract(epoch from s.availability_at) * 1000)::bigint as st_ms,
    nullif(coalesce(case when s.telemetry_at > s.fix_at then s.telemetry ->> 'rec' else s.rec end, ''), '') as rec
  from device d
  join unit u on u.id = d.unit_id
  left join device_state s on s.device_id = d.id
  left join device_shadow sh on sh.device_id = d.id
  left join binding b on b.device_id = d.id and b.released_at is null
  left join officer o on o.id = b.officer_id
  where d.status = 'approved' and (%(dids)s::text[] is null or d.did = any(%(dids)s))

-- name: alarms
-- Open alarms, or some of any state; of more than anybody can look at the gravest and newest.
select a.id, d.did, a.kind, a.severity, a.late, a.lat, a.lon, a.state, a.note, k.username as acknowledged_by, u.path,
    o.id as officer_id, o.number as officer_number, o.name as officer_name, u.id as unit_id, u.name as unit_name,
    case when z.id is not null then jsonb_build_object('id', z.id, 'name', z.name, 'kind', z.kind) end as zone, zu.path as zone_path,
    (extract(epoch from a.raised_at) * 1000)::bigint as raised_ms,
    (extract(epoch from a.fix_at) * 1000)::bigint as fix_ms,
    (extract(epoch from a.cancelled_at) * 1000)::bigint as cancelled_ms,
    (extract(epoch from a.acknowledged_at) * 1000)::bigint as acknowledged_ms,
    (extract(epoch from a.withdrawn_at) * 1000)::bigint as withdrawn_ms
  from alarm a
  join device d on d.id = a.device_id
  join unit u on u.id = d.unit_id
  left join officer o on o.id = a.officer_id
  left join account k on k.id = a.acknowledged_by
  left join zone z on z.id = a.zone_id
  left join unit zu on zu.id = z.unit_id
  where case when %(ids)s::bigint[] is null then a.state in ('new', 'acknowledged') else a.id = any(%(ids)s) end
  order by a.severity desc, a.raised_at desc limit 2000

-- name: events
select e.id, d.did, e.type, (extract(epoch from e.at) * 1000)::bigint as at_ms, e.late
  from event e join device d on d.id = e.device_id
  where e.id = any(%(ids)s)

-- name: movements
-- Comings and goings, some of them or those that changed since a moment, oldest change first; otherwise in the columns of `zones.movements`.
select e.id::text as id, d.did, e.kind, e.fix_at as at, e.lat, e.lon, e.reason, e.late, e.withdrawn_at, a.severity,
    jsonb_build_object('id', z.id, 'name', z.name, 'kind', z.kind) as zone,
    case when o.id is not null then jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) end as officer,
    e.changed_at, u.path, zu.path as zone_path
  from zone_event e
  join device d on d.id = e.device_id
  join unit u on u.id = d.unit_id
  join zone z on z.id = e.zone_id
  join unit zu on zu.id = z.unit_id
  left join officer o on o.id = e.officer_id
  left join alarm a on a.zone_id = e.zone_id and a.fix_at = e.fix_at and a.device_id = e.device_id and a.kind = 'zone_' || e.kind
  where e.id = any(%(ids)s::bigint[]) or e.changed_at >= %(since)s::timestamptz
  order by e.changed_at, e.id limit %(limit)s

-- name: commands
select c.rid as id, d.did, c.name, c.args, c.state, c.code, c.why, c.progress, c.result, c.created_at, c.finished_at
  from command c join device d on d.id = c.device_id
  where c.rid = any(%(rids)s)
