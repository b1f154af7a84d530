-- Zones: where people are to be, and where they are not to go. Nothing is overwritten: an edit is a new version.

-- squawk-ignore-file ban-drop-constraint, adding-foreign-key-constraint, require-concurrent-index-creation

create table zone (
  id bigint generated always as identity primary key,
  -- Whose it is: the scope of a dispatcher, and whom it concerns when nobody is named.
  unit_id bigint not null references unit,
  kind text not null check (kind in ('responsibility', 'post', 'forbidden', 'watch', 'patrol')),
  name text not null check (length(name) between 1 and 64),
  pinyin text not null default '',
  created_by bigint references account,
  created_at timestamptz not null default now(),
  ended_at timestamptz
);
create index zone_unit on zone (unit_id);
create unique index zone_name on zone (unit_id, name) where ended_at is null;

-- A shape and its rule from one moment to another. Only the last of a zone has no end.
create table zone_version (
  id bigint generated always as identity primary key,
  zone_id bigint not null references zone,
  -- A GeoJSON feature in WGS-84: a polygon, a point with `radius_m`, or a line with `width_m`.
  shape jsonb not null,
  -- Longer than this inside is an event of its own.
  dwell_s_max integer check (dwell_s_max > 0),
  -- Daily window of the organisation's own zone of time; it may run over midnight. Null: always.
  window_from time,
  window_to time,
  -- ISO weekdays, 1 is Monday, of the window's beginning. Null: all.
  weekdays smallint[] check (weekdays <@ array[1, 2, 3, 4, 5, 6, 7]::smallint[]),
  valid_from timestamptz not null default now(),
  valid_to timestamptz,
  created_by bigint references account,
  check (valid_to is null or valid_to >= valid_from),
  check ((window_from is null) = (window_to is null))
);
create unique index zone_version_now on zone_version (zone_id) where valid_to is null;
create index zone_version_zone on zone_version (zone_id, valid_from);

-- Whom a zone concerns: units with all below them, or officers. A zone without any concerns everybody of its unit.
create table zone_audience (
  id bigint generated always as identity primary key,
  zone_id bigint not null references zone,
  unit_id bigint references unit,
  officer_id bigint references officer,
  check (num_nonnulls(unit_id, officer_id) = 1)
);
create index zone_audience_zone on zone_audience (zone_id);

-- Where each device stands towards its zones, up to the newest fix that ingest has seen.
create table zone_watch (
  device_id bigint primary key references device,
  fix_at timestamptz not null,
  state jsonb not null
) with (fillfactor = 50);

create table zone_event (
  id bigint generated always as identity primary key,
  device_id bigint not null references device,
  -- Who wore the device then.
  officer_id bigint references officer,
  zone_id bigint not null references zone,
  version_id bigint not null references zone_version,
  kind text not null check (kind in ('enter', 'leave', 'dwell')),
  fix_at timestamptz not null,
  lat double precision not null,
  lon double precision not null,
  -- Of leaving: by foot (empty), 'gap' (not heard of for too long; it ends with the last fix), 'closed' (no longer in force).
  reason text not null default '',
  -- Found when fixes arrived late: it raised no alarm.
  late boolean not null,
  received_at timestamptz not null default now(),
  -- Later fixes showed that it was not so.
  withdrawn_at timestamptz,
  unique (device_id, version_id, kind, fix_at)
);
create index zone_event_zone on zone_event (zone_id, fix_at desc);
create index zone_event_at on zone_event (fix_at desc, id desc);

-- Fixes arrived that are older than what `zone_watch` stands at: from here on the events are to be looked at again.
create table zone_due (
  device_id bigint primary key references device,
  since timestamptz not null
);

-- An alarm of a zone names it; two zones may be left with the same fix. The table is small, and the services are stopped.
alter table alarm add column zone_id bigint references zone;
alter table alarm drop constraint alarm_device_id_sid_seq_kind_key;
create unique index alarm_identity on alarm (device_id, sid, seq, kind, zone_id) nulls not distinct;

alter table zone enable row level security;
create policy zone_scope on zone to xunlu_api using (unit_id = any ((select scope_units())::bigint[]));
alter table zone_version enable row level security;
create policy zone_version_scope on zone_version to xunlu_api using (zone_id in (select id from zone));
alter table zone_audience enable row level security;
create policy zone_audience_scope on zone_audience to xunlu_api using (zone_id in (select id from zone));
alter table zone_event enable row level security;
create policy zone_event_scope on zone_event to xunlu_api using (device_id in (select id from device));

do $$
declare subject text;
begin
  foreach subject in array array['zone', 'zone_version', 'zone_audience', 'zone_event'] loop
    execute format('create policy %1$s_server on %1$I to xunlu_ingest, xunlu_jobs using (true)', subject);
  end loop;
end $$;

grant select on zone, zone_version, zone_audience, zone_event to xunlu_api, xunlu_ingest, xunlu_jobs;
grant insert, update on zone, zone_version to xunlu_api;
grant insert on zone_audience to xunlu_api;
grant delete on zone_audience to xunlu_api;
grant select, insert, update on zone_watch, zone_due to xunlu_ingest, xunlu_jobs;
grant insert on zone_event to xunlu_ingest, xunlu_jobs;
grant update (withdrawn_at, late) on zone_event to xunlu_ingest, xunlu_jobs;
grant delete on zone_due to xunlu_jobs;
-- Who wore a device decides whom its zones concern.
grant select on officer to xunlu_ingest, xunlu_jobs;
