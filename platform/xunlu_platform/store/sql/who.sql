-- Who was at a place: which device-hours may have been there at all, and who wore the devices.

-- name: hours_near
-- Hours of devices whose box, with those of the hours beside it, meets the place: a way from one fix to the next may cross it and
-- lie in neither box. What no roll-up speaks for is measured by its fixes: hours due, and those after the last one rolled up.
with rolled as (
  select h.device_id, h.hour, h.lat_min, h.lat_max, h.lon_min, h.lon_max from position_hour h
  where h.hour >= %(first)s and h.hour < %(until)s
    and not exists (select from position_hour_due due where due.device_id = h.device_id and due.hour = h.hour)
), unrolled as (
  select device_id, hour from position_hour_due where hour >= %(first)s and hour < %(until)s
  union
  select d.id, hour from device d
    cross join generate_series(
      greatest(%(first)s, (select coalesce(max(hour), '-infinity') + interval '1 hour' from position_hour)),
      %(until)s::timestamptz - interval '1 microsecond', '1 hour') hour
), boxes as (
  select * from rolled
  union all
  select u.device_id, u.hour, b.* from unrolled u cross join lateral (
    select min(lat) as lat_min, max(lat) as lat_max, min(lon) as lon_min, max(lon) as lon_max from position
      where device_id = u.device_id and fix_at >= u.hour and fix_at < u.hour + interval '1 hour') b
  where b.lat_min is not null
), around as (
  select device_id, hour, min(lat_min) over beside as lat_min, max(lat_max) over beside as lat_max,
    min(lon_min) over beside as lon_min, max(lon_max) over beside as lon_max
  from boxes window beside as (partition by device_id order by hour
    range between interval '1 hour' preceding and interval '1 hour' following)
)
select a.device_id, d.did, a.hour from around a join device d on d.id = a.device_id
where a.lat_max >= %(south)s and a.lat_min <= %(north)s and a.lon_max >= %(west)s and a.lon_min <= %(east)s
order by a.device_id, a.hour limit %(limit)s

-- name: wearers
-- As `review.worn`, for devices; a telephone has a bearer also while they wear a recorder.
select b.device_id, b.officer_id, greatest(b.bound_at, %(from)s) as since,
  least(b.released_at, again.at, %(to)s) as until
from binding b
cross join lateral (
  select min(n.bound_at) as at from binding n
    where (n.device_id = b.device_id or (n.officer_id = b.officer_id and n.phone = b.phone))
      and (n.bound_at, n.id) > (b.bound_at, b.id)) again
where b.device_id = any(%(ids)s) and b.bound_at < %(to)s
  and greatest(b.bound_at, %(from)s) < least(b.released_at, again.at, %(to)s)
order by b.device_id, since limit %(limit)s
