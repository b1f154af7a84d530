-- What the jobs process does; each statement is safe to run again and beside itself.

-- name: keep_watch
-- Goes on with the watch of a moment ago.
update server_watch set until = now()
  where id = (select id from server_watch where until > now() - interval '30 s' order by until desc limit 1)

-- name: begin_watch
insert into server_watch default values

-- name: end_unheard
-- A process of this name was there, and begins anew: if nobody listened meanwhile, that is when it has gone.
-- It counts under its name before the `@`, for a new machine may stand for the old one.
insert into server_state (host, at, online)
  select s.host, w.until, false
    from (select host, at, online from server_state
      where split_part(host, '@', 1) = split_part(%(host)s, '@', 1) order by id desc limit 1) s
    cross join lateral (select until from server_watch
      where until >= s.at and until < %(at)s::timestamptz - interval '30 s' order by until desc limit 1) w
    where s.online
  on conflict do nothing

-- name: server_state
insert into server_state (host, at, online) values (%(host)s, %(at)s, %(online)s) on conflict do nothing

-- name: device_id
select id from device where did = %s

-- name: expire_commands
-- Nobody answered in time; what was begun gets ten minutes more.
update command c set state = 'expired', code = 3, finished_at = now()
  from device d
  where d.id = c.device_id
    and ((c.state in ('queued', 'delivered') and c.expires_at < now())
      or (c.state in ('accepted', 'running') and c.expires_at < now() - interval '10 minutes'))
  returning c.rid, d.did

-- name: forget_logins
delete from login where expires_at < now()

-- name: forget_watches
-- They matter for whoever begins anew after them.
delete from server_watch where until < now() - interval '400 days'

-- name: trim_dead_letters
-- The newest hundred thousand are enough to find any fault.
delete from dead_letter where id <= (select max(id) - 100000 from dead_letter)

-- name: last_rolled_up
select max(hour) as hour from position_hour

-- name: hour_over
-- An hour is over: every device that was heard in it is due.
insert into position_hour_due (device_id, hour)
  select distinct device_id, %(hour)s::timestamptz from position
    where fix_at >= %(hour)s and fix_at < %(hour)s::timestamptz + interval '1 hour'
  on conflict do nothing

-- name: hours_due
-- Some of the hours due, the oldest first, as they are marked now.
select d.device_id, d.hour, d.mark from position_hour_due d
  where d.hour < date_trunc('hour', now()) order by d.hour, d.device_id limit %(hours_max)s

-- name: roll_up
-- Those hours due that nobody has marked again since they were read; tells which, even when retention has emptied them.
-- Distance and moving time count between fixes at most five minutes apart; farther is a gap. Mean earth radius 6 371 008.8 m
-- (IUGG); moving is 0.5 m/s and more.
with due as (
  delete from position_hour_due d
    using unnest(%(device_id)s::bigint[], %(hour)s::timestamptz[], %(mark)s::bigint[]) as read(device_id, hour, mark)
    where d.device_id = read.device_id and d.hour = read.hour and d.mark = read.mark
    returning d.device_id, d.hour
), fixes as (
  select due.device_id, due.hour, p.fix_at, p.lat, p.lon, p.speed_mps, p.late,
      lag(p.fix_at) over track as before_at, lag(p.lat) over track as before_lat, lag(p.lon) over track as before_lon
    from due join position p
      on p.device_id = due.device_id and p.fix_at >= due.hour and p.fix_at < due.hour + interval '1 hour'
    window track as (partition by due.device_id, due.hour order by p.fix_at, p.seq)
), steps as (
  select *, extract(epoch from fix_at - before_at) as step_s,
      2 * 6371008.8 * asin(least(1, sqrt(sin(radians(lat - before_lat) / 2) ^ 2
        + cos(radians(lat)) * cos(radians(before_lat)) * sin(radians(lon - before_lon) / 2) ^ 2))) as step_m
    from fixes
), written as (
  insert into position_hour (device_id, hour, fixes, late_fixes, first_fix_at, last_fix_at, distance_m, moving_s,
      speed_max_mps, lat_min, lat_max, lon_min, lon_max)
    select device_id, hour, count(*), count(*) filter (where late), min(fix_at), max(fix_at),
        coalesce(sum(step_m) filter (where step_s <= 300), 0),
        coalesce(sum(step_s) filter (where step_s <= 300 and step_m >= 0.5 * step_s), 0),
        max(speed_mps), min(lat), max(lat), min(lon), max(lon)
      from steps group by device_id, hour
    on conflict (device_id, hour) do update set fixes = excluded.fixes, late_fixes = excluded.late_fixes,
      first_fix_at = excluded.first_fix_at, last_fix_at = excluded.last_fix_at, distance_m = excluded.distance_m,
      moving_s = excluded.moving_s, speed_max_mps = excluded.speed_max_mps, lat_min = excluded.lat_min,
      lat_max = excluded.lat_max, lon_min = excluded.lon_min, lon_max = excluded.lon_max, computed_at = now()
)
select device_id, hour from due

-- name: track_piece
insert into track_piece (device_id, hour, level, points, pieces, length_m, moving_s, stops)
  values (%(device_id)s, %(hour)s, %(level)s, %(points)s, %(pieces)s, %(length_m)s, %(moving_s)s, %(stops)s)
  on conflict (device_id, hour, level) do update set points = excluded.points, pieces = excluded.pieces,
    length_m = excluded.length_m, moving_s = excluded.moving_s, stops = excluded.stops

-- name: retention_rules
-- Rules that are on and whose present form somebody has seen in a dry run.
select subject from retention_rule r where enabled
  and exists (select from retention_run u where u.subject = r.subject and u.dry_run and u.at >= r.changed_at)

-- name: apply_retention
select * from apply_retention(%s)

-- name: allow_sorting
-- A large chunk takes minutes; but nobody waits in line behind us for more than a moment before it begins.
select set_config('statement_timeout', '30min', true), set_config('lock_timeout', '3s', true)

-- name: sort_position_chunk
select sort_position_chunk() as chunk

-- name: files_to_erase
select file from file_to_erase order by noted_at, file limit %(limit)s

-- name: forget_files
delete from file_to_erase where file = any(%(files)s)
