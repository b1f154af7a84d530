-- name: events
select e.id, d.did, e.type, e.at, e.received_at, e.late, e.lat, e.lon, e.payload
from event e join device d on d.id = e.device_id
where e.device_id = %(device_id)s and e.at >= %(from)s and e.at < %(to)s
  and (%(after_at)s::timestamptz is null or (e.at, e.id) < (%(after_at)s, %(after_id)s))
order by e.at desc, e.id desc limit %(limit)s

-- name: track
-- One device, one stretch of time: `position_identity` serves it in order, chunk by chunk. Rounding gives four-byte numbers
-- back the digits that were stored, for they come in binary.
select sid, seq, fix_at, received_at, lat, lon, round(alt_m::float8 * 1000) / 1000, round(speed_mps::float8 * 1000) / 1000,
  round(course_deg::float8 * 1000) / 1000, round(accuracy_m::float8 * 1000) / 1000, fix, sat, bds,
  round(hdop::float8 * 1000) / 1000, late
from position
where device_id = %(device_id)s and fix_at >= %(from)s and fix_at < %(to)s
  and (fix_at, sid, seq) > (%(from)s, %(after_sid)s, %(after_seq)s)
order by fix_at, sid, seq limit %(limit)s

-- name: track_line
-- The same, but only what a map draws, and times as numbers: an eight-byte one holds the microseconds of our days.
select date_part('epoch', fix_at), lon, lat, round(speed_mps::float8 * 1000) / 1000, sid, seq
from position
where device_id = %(device_id)s and fix_at >= %(from)s and fix_at < %(to)s
  and (fix_at, sid, seq) > (%(from)s, %(after_sid)s, %(after_seq)s)
order by fix_at, sid, seq limit %(limit)s

-- name: track_csv
-- The same as lines of CSV, `device` before each, and of a full piece the last one's place: the database writes a day in a
-- quarter of the time that a program needs. Only JSON gives times as ISO 8601; their quotes go.
with piece as (
  select * from position
  where device_id = %(device_id)s and fix_at >= %(from)s and fix_at < %(to)s
    and (fix_at, sid, seq) > (%(from)s, %(after_sid)s, %(after_seq)s)
  order by fix_at, sid, seq limit %(limit)s
), written as (
  select count(*) as points, replace(string_agg(concat(%(device)s::text, ',', sid, ',', seq, ',', to_json(fix_at), ',',
    to_json(received_at), ',', lat, ',', lon, ',', alt_m, ',', speed_mps, ',', course_deg, ',', accuracy_m, ',', fix, ',',
    sat, ',', bds, ',', hdop, ',', late::text, e'\r\n'), '' order by fix_at, sid, seq), '"', '') as lines
  from piece
)
select lines, last.* from written left join lateral (
  select fix_at, sid, seq from piece where points = %(limit)s order by fix_at desc, sid desc, seq desc limit 1
) last on true

-- name: rollups
select d.did, h.hour, h.fixes, h.late_fixes, h.first_fix_at, h.last_fix_at, h.distance_m, h.moving_s, h.speed_max_mps,
  h.computed_at
from position_hour h join device d on d.id = h.device_id
where (%(did)s::text is null or d.did = %(did)s) and h.hour >= %(from)s and h.hour < %(to)s
  and (%(after_hour)s::timestamptz is null or (h.hour, d.did) > (%(after_hour)s, %(after_did)s))
order by h.hour, d.did limit %(limit)s

-- name: rollups_due
select count(*) as hours from position_hour_due due join device d on d.id = due.device_id
where (%(did)s::text is null or d.did = %(did)s) and due.hour >= %(from)s and due.hour < %(to)s
