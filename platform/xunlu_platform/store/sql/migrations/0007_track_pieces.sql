-- The shape of a track, made once for each hour that is over, so that weeks answer in bounded size.

create table track_piece (
  device_id bigint not null references device,
  hour timestamptz not null,
  -- Bound of the simplification in metres: see `xunlu_gis.track.levels`.
  level smallint not null,
  -- Cleaned and simplified fixes, packed: see `xunlu_platform.review.shape`.
  points bytea not null,
  -- [[points, late, first sid, first seq, last sid, last seq], …]: the unbroken ways among them.
  pieces jsonb not null,
  -- Of the cleaned fixes before they were simplified; the same on every level, so that a reader needs one row of an hour.
  length_m double precision not null,
  moving_s double precision not null,
  -- [[from_ms, to_ms, lon, lat], …], milliseconds after the hour.
  stops jsonb not null,
  primary key (device_id, hour, level)
);
create index track_piece_hour on track_piece (hour);

-- Who marks an hour once more while it is being computed makes that result void.
alter table position_hour_due add column mark bigint not null default 0;
-- Every hour rolled up so far whose positions are still there has yet to get its pieces.
insert into position_hour_due (device_id, hour) select device_id, hour from position_hour
  where hour >= (select min(range_start) from timescaledb_information.chunks
    where hypertable_schema = 'public' and hypertable_name = 'position')
  on conflict do nothing;

alter table track_piece enable row level security;
create policy track_piece_scope on track_piece to xunlu_api using (device_id in (select id from device));
create policy track_piece_server on track_piece to xunlu_jobs using (true);
grant select on track_piece to xunlu_api;
grant select, insert, update, delete on track_piece to xunlu_jobs;

-- Pieces are places of people: they go with the positions that they were made of.
create function forget_track_pieces() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  delete from track_piece where hour < coalesce(
    (select min(range_start) from timescaledb_information.chunks
      where hypertable_schema = 'public' and hypertable_name = 'position'), new.older_than);
  return null;
end $$;
revoke execute on function forget_track_pieces() from public;
create trigger retention_run_of_positions after insert on retention_run
  for each row when (new.subject = 'position' and not new.dry_run) execute function forget_track_pieces();
