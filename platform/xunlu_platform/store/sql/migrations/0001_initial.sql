-- The first schema. Times are timestamptz; coordinates are WGS-84 degrees; sid and seq as docs/protocol.md says.
-- Scope: the roles that serve people see only rows below the unit path in the setting `xunlu.scope`; without it, nothing.

-- Organisation ------------------------------------------------------------------------------------------------------

create table unit (
  id bigint generated always as identity primary key,
  tenant text not null check (tenant ~ '^[A-Za-z0-9_-]{1,64}$'),
  parent_id bigint references unit,
  kind text not null check (kind in ('district', 'squad', 'team')),
  name text not null check (length(name) between 1 and 100),
  pinyin text not null default '',
  -- '/1/4/': the ids from the root to this unit. A prefix of it is a scope.
  path text not null unique,
  created_at timestamptz not null default now(),
  unique (parent_id, name)
);
create unique index unit_tenant_root on unit (tenant) where parent_id is null;

-- The path of a new unit follows from its parent's; a parent that the caller does not see is no parent.
create function place_unit() returns trigger language plpgsql as $$
begin
  if new.parent_id is null then
    new.path := '/' || new.id || '/';
  else
    select path || new.id || '/' into new.path from unit where id = new.parent_id and tenant = new.tenant;
  end if;
  return new;
end $$;
create trigger unit_placed before insert on unit for each row execute function place_unit();

create table officer (
  id bigint generated always as identity primary key,
  tenant text not null,
  unit_id bigint not null references unit,
  number text not null check (length(number) between 1 and 32),
  name text not null check (length(name) between 1 and 64),
  pinyin text not null default '',
  active boolean not null default true,
  created_at timestamptz not null default now(),
  unique (tenant, number)
);
create index officer_unit on officer (unit_id);

-- Identity ----------------------------------------------------------------------------------------------------------

create table account (
  id bigint generated always as identity primary key,
  unit_id bigint not null references unit,
  username text not null check (username = lower(username) and length(username) between 2 and 64),
  display_name text not null,
  role text not null check (role in (
    'administrator', 'supervisor', 'dispatcher', 'clerk', 'evidence', 'auditor', 'officer')),
  officer_id bigint references officer,
  password_hash text not null,
  must_change_password boolean not null default true,
  failed_logins integer not null default 0,
  locked_until timestamptz,
  disabled_at timestamptz,
  created_at timestamptz not null default now(),
  unique (username)
);

create table login (
  token_hash bytea primary key,
  account_id bigint not null references account on delete cascade,
  kind text not null check (kind in ('cookie', 'bearer')),
  csrf_token text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  address inet
);
create index login_account on login (account_id);

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  account_id bigint,
  username text not null,
  unit_id bigint not null references unit,
  action text not null,
  target text not null default '',
  detail jsonb not null default '{}',
  address inet
);
create index audit_at on audit (at desc, id desc);
create index audit_target on audit (target, at desc);

-- Devices -----------------------------------------------------------------------------------------------------------

create table device (
  id bigint generated always as identity primary key,
  did text not null unique check (did ~ '^[A-Za-z0-9_-]{1,64}$'),
  tenant text not null,
  unit_id bigint not null references unit,
  kind text not null check (kind in ('recorder', 'station', 'tracker')),
  serial text not null,
  vendor text not null,
  model text not null,
  inspection_report text,
  status text not null default 'pending' check (status in ('pending', 'approved', 'disabled')),
  created_at timestamptz not null default now(),
  approved_at timestamptz,
  unique (vendor, serial)
);
create index device_unit on device (unit_id);

-- A list imported beforehand: such a device is approved the moment it claims its identity.
create table expected_device (
  serial text not null,
  vendor text not null,
  model text not null,
  unit_id bigint not null references unit,
  -- Who will wear it: bound when it claims.
  officer_id bigint references officer,
  inspection_report text,
  imported_at timestamptz not null default now(),
  primary key (vendor, serial)
);

create table binding (
  id bigint generated always as identity primary key,
  device_id bigint not null references device,
  officer_id bigint not null references officer,
  bound_at timestamptz not null default now(),
  bound_by bigint references account,
  released_at timestamptz,
  released_by bigint references account,
  check (released_at is null or released_at >= bound_at)
);
create unique index binding_device_now on binding (device_id) where released_at is null;
create unique index binding_officer_now on binding (officer_id) where released_at is null;
create index binding_device on binding (device_id, bound_at desc);
create index binding_officer on binding (officer_id, bound_at desc);

create table device_shadow (
  device_id bigint primary key references device,
  desired jsonb,
  desired_version integer not null default 0,
  desired_at timestamptz,
  reported jsonb,
  reported_at timestamptz
);

-- The newest known of every device: one row each, so that lists never touch a hypertable.
create table device_state (
  device_id bigint primary key references device,
  availability text not null default 'offline' check (availability in ('online', 'offline', 'sleep')),
  availability_sid bigint not null default 0,
  availability_at timestamptz,
  why text,
  birth_sid bigint not null default 0,
  birth jsonb,
  fix_at timestamptz,
  lat double precision,
  lon double precision,
  accuracy_m real,
  speed_mps real,
  course_deg real,
  sat smallint,
  bds smallint,
  rec text,
  telemetry jsonb,
  telemetry_at timestamptz,
  changed_at timestamptz not null default now()
) with (fillfactor = 50);

-- What the database holds of each session of a device: the source of `dn/ack`. `held` is never more than what is stored.
-- `given_up`: what will never come, thinned by the device or refused by us; it is neither held nor missing.
create table device_session (
  device_id bigint not null references device,
  sid bigint not null,
  held int8multirange not null default '{}',
  given_up int8multirange not null default '{}',
  changed_at timestamptz not null default now(),
  primary key (device_id, sid)
) with (fillfactor = 50);

-- A device with who wears it and the newest that is known of it, each within the reader's own scope.
create view device_overview with (security_invoker = true) as
select d.id, d.did, d.kind, d.serial, d.vendor, d.model, d.status, d.unit_id, d.inspection_report,
  jsonb_build_object('id', u.id, 'name', u.name) as unit,
  case when o.id is not null then jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) end as officer,
  o.number as officer_number, o.name as officer_name, o.pinyin as officer_pinyin,
  jsonb_build_object('availability', coalesce(s.availability, 'offline'), 'sid', coalesce(s.availability_sid, 0),
    'at', s.availability_at, 'why', s.why) as state,
  case when s.fix_at is not null then jsonb_build_object('lat', s.lat, 'lon', s.lon, 'fix_time', s.fix_at,
    'age_s', round(extract(epoch from now() - s.fix_at), 1), 'accuracy_m', s.accuracy_m, 'speed_mps', s.speed_mps,
    'course_deg', s.course_deg, 'sat', s.sat, 'bds', s.bds) end as position,
  case when s.telemetry is not null
    then s.telemetry || jsonb_build_object('at', s.telemetry_at) end as telemetry,
  s.rec as recording, s.birth
from device d
  join unit u on u.id = d.unit_id
  left join binding b on b.device_id = d.id and b.released_at is null
  left join officer o on o.id = b.officer_id
  left join device_state s on s.device_id = d.id;

-- History: hypertables ----------------------------------------------------------------------------------------------

create table position (
  device_id bigint not null,
  fix_at timestamptz not null,
  sid bigint not null,
  seq bigint not null,
  received_at timestamptz not null,
  lat double precision not null,
  lon double precision not null,
  alt_m real,
  speed_mps real,
  course_deg real,
  accuracy_m real,
  hdop real,
  battery_percent real,
  fix smallint,
  sat smallint,
  bds smallint,
  late boolean not null,
  rec text
);
select create_hypertable('position', 'fix_at', chunk_time_interval => interval '1 day', create_default_indexes => false);
create unique index position_identity on position (device_id, fix_at, sid, seq);

create table telemetry (
  device_id bigint not null,
  at timestamptz not null,
  received_at timestamptz not null,
  sid bigint not null,
  payload jsonb not null
);
select create_hypertable('telemetry', 'at', chunk_time_interval => interval '7 days', create_default_indexes => false);
create unique index telemetry_identity on telemetry (device_id, at, sid);

create table event (
  id bigint generated always as identity,
  device_id bigint not null,
  at timestamptz not null,
  received_at timestamptz not null,
  sid bigint not null,
  seq bigint not null,
  type text not null,
  lat double precision,
  lon double precision,
  payload jsonb not null,
  late boolean not null
);
select create_hypertable('event', 'at', chunk_time_interval => interval '7 days', create_default_indexes => false);
create unique index event_identity on event (device_id, at, sid, seq, type);
create index event_id on event (id);

-- Every change of availability, for explained gaps.
create table availability (
  device_id bigint not null,
  at timestamptz not null,
  received_at timestamptz not null,
  sid bigint not null,
  availability text not null,
  why text
);
select create_hypertable('availability', 'at', chunk_time_interval => interval '30 days', create_default_indexes => false);
create unique index availability_identity on availability (device_id, at, sid, availability);

-- When our own processes were there: a gap may be the server's fault.
-- Written by the jobs process from the retained states of `xunlu/srv/{host}/state`.
create table server_state (
  id bigint generated always as identity primary key,
  host text not null,
  at timestamptz not null,
  online boolean not null,
  unique (host, at, online)
);

-- Command -----------------------------------------------------------------------------------------------------------

create table alarm (
  id bigint generated always as identity primary key,
  device_id bigint not null references device,
  officer_id bigint references officer,
  kind text not null,
  severity smallint not null check (severity between 1 and 3),
  sid bigint not null,
  seq bigint not null,
  raised_at timestamptz not null,
  received_at timestamptz not null,
  late boolean not null default false,
  lat double precision,
  lon double precision,
  fix_at timestamptz,
  -- The officer took it back. It stays open: a dispatcher closes it.
  cancelled_at timestamptz,
  state text not null default 'new' check (state in ('new', 'acknowledged', 'resolved', 'false')),
  acknowledged_at timestamptz,
  acknowledged_by bigint references account,
  closed_at timestamptz,
  closed_by bigint references account,
  note text not null default '',
  unique (device_id, sid, seq, kind)
);
create index alarm_open on alarm (raised_at desc) where state in ('new', 'acknowledged');
create index alarm_device on alarm (device_id, raised_at desc);

create table command (
  rid text primary key check (rid ~ '^[A-Za-z0-9_-]{1,64}$'),
  device_id bigint not null references device,
  name text not null,
  args jsonb not null,
  state text not null default 'queued' check (state in (
    'queued', 'delivered', 'accepted', 'rejected', 'running', 'done', 'failed', 'expired')),
  code integer,
  why text,
  progress real,
  result jsonb,
  created_by bigint references account,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  delivered_at timestamptz,
  accepted_at timestamptz,
  running_at timestamptz,
  finished_at timestamptz
);
create index command_device on command (device_id, created_at desc);
create index command_open on command (expires_at) where state in ('queued', 'delivered', 'accepted', 'running');

-- House-keeping -----------------------------------------------------------------------------------------------------

create table dead_letter (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  topic text not null,
  reason text not null,
  message text not null,
  payload bytea not null
);
create index dead_letter_at on dead_letter (at);

create table position_hour (
  device_id bigint not null,
  hour timestamptz not null,
  fixes integer not null,
  late_fixes integer not null,
  first_fix_at timestamptz not null,
  last_fix_at timestamptz not null,
  distance_m double precision not null,
  moving_s double precision not null,
  speed_max_mps real,
  lat_min double precision not null,
  lat_max double precision not null,
  lon_min double precision not null,
  lon_max double precision not null,
  computed_at timestamptz not null default now(),
  primary key (device_id, hour)
);

-- Hours whose roll-up is missing or out of date.
create table position_hour_due (
  device_id bigint not null,
  hour timestamptz not null,
  primary key (device_id, hour)
);
create index position_hour_due_hour on position_hour_due (hour);

create table retention_rule (
  subject text primary key check (subject in ('position', 'telemetry', 'event', 'availability', 'dead_letter', 'audit')),
  keep_days integer not null check (keep_days between 1 and 36500),
  enabled boolean not null default false,
  changed_at timestamptz not null default now()
);
insert into retention_rule (subject, keep_days) values
  ('position', 730), ('telemetry', 180), ('event', 730), ('availability', 730), ('dead_letter', 30), ('audit', 3650);

create table retention_run (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  subject text not null,
  dry_run boolean not null,
  older_than timestamptz not null,
  rows_affected bigint not null,
  chunks_affected integer not null
);
create index retention_run_subject on retention_run (subject, at desc);

-- Retention ---------------------------------------------------------------------------------------------------------
-- Erasing history needs the owner, so it is a function of the owner's that holds the rule itself: no caller can erase
-- more than the rule says. History goes by whole chunks, rows by their time.

create function retention_time_column(subject text) returns text language sql immutable as $$
  select case subject when 'position' then 'fix_at' else 'at' end
$$;

-- What the rule would erase now; for the two functions below.
create function measure_retention(wanted text) returns retention_run
language plpgsql stable set search_path = public, pg_temp as $$
declare
  run retention_run;
  edge timestamptz;
begin
  select wanted, now() - make_interval(days => keep_days), 0 into strict run.subject, run.older_than, run.chunks_affected
    from retention_rule where subject = wanted;
  edge := run.older_than;
  if wanted in ('position', 'telemetry', 'event', 'availability') then
    select count(*), max(range_end) into run.chunks_affected, edge from timescaledb_information.chunks
      where hypertable_schema = 'public' and hypertable_name = wanted and range_end <= run.older_than;
  end if;
  execute format('select count(*) from %I where %I < $1', wanted, retention_time_column(wanted))
    into run.rows_affected using coalesce(edge, '-infinity'::timestamptz);
  return run;
end $$;

create function record_retention(run retention_run, dry_run boolean) returns retention_run
language sql set search_path = public, pg_temp as $$
  insert into retention_run (subject, dry_run, older_than, rows_affected, chunks_affected)
    values (run.subject, dry_run, run.older_than, run.rows_affected, run.chunks_affected) returning *
$$;

-- A dry run, written down. A rule acts only after a dry run of its present form.
create function preview_retention(wanted text) returns retention_run
language sql security definer set search_path = public, pg_temp as $$
  select record_retention(measure_retention(wanted), true)
$$;

-- Erase what the rule says. Raises when the rule is off or nobody has looked at its dry run.
create function apply_retention(wanted text) returns retention_run
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  rule retention_rule;
  run retention_run;
begin
  select * into strict rule from retention_rule where subject = wanted for update;
  if not rule.enabled then
    raise exception 'Retention of % is switched off.', wanted using errcode = 'XR001';
  end if;
  if not exists (select from retention_run r where r.subject = wanted and r.dry_run and r.at >= rule.changed_at) then
    raise exception 'Retention of % needs a dry run of its present rule first.', wanted using errcode = 'XR002';
  end if;
  run := measure_retention(wanted);
  if run.chunks_affected > 0 then
    perform drop_chunks(wanted::regclass, older_than => run.older_than);
  elsif wanted in ('dead_letter', 'audit') then
    execute format('delete from %I where %I < $1', wanted, retention_time_column(wanted)) using run.older_than;
  end if;
  return record_retention(run, false);
end $$;

-- Order -------------------------------------------------------------------------------------------------------------
-- Fixes lie on disk as they arrived: the day of one officer is scattered among everybody's. A chunk that is over is
-- written once more in the order of its index, newest first, so that a day is a few hundred neighbouring pages.

-- Sort one chunk; returns its name, null when all are sorted. Readers of that chunk wait meanwhile: call it at night.
create function sort_position_chunk() returns text
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  chunk record;
begin
  select c.chunk_schema, c.chunk_name, n.relname as index_name into chunk
    from timescaledb_information.chunks c
    join pg_index i on i.indrelid = format('%I.%I', c.chunk_schema, c.chunk_name)::regclass and i.indisunique
    join pg_class n on n.oid = i.indexrelid
    where c.hypertable_schema = 'public' and c.hypertable_name = 'position' and not i.indisclustered
      and c.range_end < now() - interval '1 hour'
    order by c.range_end desc limit 1;
  if not found then
    return null;
  end if;
  execute format('cluster %I.%I using %I', chunk.chunk_schema, chunk.chunk_name, chunk.index_name);
  execute format('analyze %I.%I', chunk.chunk_schema, chunk.chunk_name);
  return chunk.chunk_name;
end $$;

revoke execute on function measure_retention(text), record_retention(retention_run, boolean),
  preview_retention(text), apply_retention(text), sort_position_chunk() from public;
grant execute on function sort_position_chunk() to xunlu_jobs;
grant execute on function preview_retention(text) to xunlu_api, xunlu_jobs;
grant execute on function apply_retention(text) to xunlu_jobs;

-- Scope -------------------------------------------------------------------------------------------------------------

-- The caller's units. No setting, no units.
create function scope_units() returns bigint[] language sql stable parallel safe as $$
  select coalesce(array_agg(id), '{}') from unit
  where path like nullif(current_setting('xunlu.scope', true), '') || '%'
$$;

alter table unit enable row level security;
create policy unit_scope on unit to xunlu_api
  using (path like nullif(current_setting('xunlu.scope', true), '') || '%');

-- Somebody of the role `officer` sees, within that, only themselves and what they wear: `xunlu.officer` holds their id.
create function scope_officer() returns bigint language sql stable parallel safe as $$
  select nullif(current_setting('xunlu.officer', true), '')::bigint
$$;
-- As the owner: the policy of `binding` asks that of `device`, which asks this.
create function scope_worn() returns bigint language sql stable security definer set search_path = public, pg_temp as $$
  select device_id from binding where officer_id = scope_officer() and released_at is null
$$;

alter table officer enable row level security;
create policy officer_scope on officer to xunlu_api using (unit_id = any ((select scope_units())::bigint[])
  and coalesce((select scope_officer()), id) = id);
alter table account enable row level security;
create policy account_scope on account to xunlu_api using (unit_id = any ((select scope_units())::bigint[]));
alter table device enable row level security;
create policy device_scope on device to xunlu_api using (unit_id = any ((select scope_units())::bigint[])
  and ((select scope_officer()) is null or id = (select scope_worn())));
alter table expected_device enable row level security;
create policy expected_device_scope on expected_device to xunlu_api using (unit_id = any ((select scope_units())::bigint[]));
alter table audit enable row level security;
create policy audit_scope on audit to xunlu_api using (unit_id = any ((select scope_units())::bigint[]));

-- What belongs to a device is seen by those who see the device: the inner select is filtered by the policy above.
alter table login enable row level security;
create policy login_scope on login to xunlu_api using (account_id in (select id from account));
alter table binding enable row level security;
create policy binding_scope on binding to xunlu_api using (device_id in (select id from device));
alter table device_shadow enable row level security;
create policy device_shadow_scope on device_shadow to xunlu_api using (device_id in (select id from device));
alter table device_state enable row level security;
create policy device_state_scope on device_state to xunlu_api using (device_id in (select id from device));
alter table device_session enable row level security;
create policy device_session_scope on device_session to xunlu_api using (device_id in (select id from device));
alter table position enable row level security;
create policy position_scope on position to xunlu_api using (device_id in (select id from device));
alter table telemetry enable row level security;
create policy telemetry_scope on telemetry to xunlu_api using (device_id in (select id from device));
alter table event enable row level security;
create policy event_scope on event to xunlu_api using (device_id in (select id from device));
alter table availability enable row level security;
create policy availability_scope on availability to xunlu_api using (device_id in (select id from device));
alter table alarm enable row level security;
create policy alarm_scope on alarm to xunlu_api using (device_id in (select id from device));
alter table command enable row level security;
create policy command_scope on command to xunlu_api using (device_id in (select id from device));
alter table position_hour enable row level security;
create policy position_hour_scope on position_hour to xunlu_api using (device_id in (select id from device));

-- Ingest and jobs serve no person: they see all rows of the few tables that they are granted.
do $$
declare subject text;
begin
  foreach subject in array array['unit', 'officer', 'device', 'expected_device', 'binding', 'device_shadow', 'device_state',
      'device_session', 'position', 'telemetry', 'event', 'availability', 'alarm', 'command', 'position_hour', 'login', 'audit'] loop
    execute format('create policy %1$s_server on %1$I to xunlu_ingest, xunlu_jobs using (true)', subject);
  end loop;
end $$;

-- Rights: what each process does, and nothing else. Nobody but the jobs deletes history; nobody alters audit rows. -----

grant usage on schema public to xunlu_api, xunlu_ingest, xunlu_jobs;

grant select on all tables in schema public to xunlu_api;
grant insert, update on unit, officer, account, device, expected_device, binding, device_shadow, device_state, alarm,
  command, retention_rule to xunlu_api;
grant insert on audit, retention_run to xunlu_api;
grant insert, update, delete on login to xunlu_api;
grant delete on expected_device to xunlu_api;

grant select on unit, device, binding, device_session, device_state, command, alarm to xunlu_ingest;
grant select, insert on position, telemetry, event, availability, alarm, dead_letter, position_hour_due to xunlu_ingest;
grant select, insert, update on device_session, device_state, device_shadow, position_hour_due to xunlu_ingest;
grant update on command, alarm to xunlu_ingest;

grant select on unit, device, position, position_hour, position_hour_due, telemetry, event, availability, command,
  retention_rule, retention_run, dead_letter, audit, login, server_state to xunlu_jobs;
grant insert, update on position_hour to xunlu_jobs;
-- `for update skip locked` wants the right to update.
grant insert, update on position_hour_due to xunlu_jobs;
grant insert on availability to xunlu_jobs;
grant select, update on device_state to xunlu_jobs;
grant insert on server_state to xunlu_jobs;
grant delete on position_hour, position_hour_due, dead_letter, login to xunlu_jobs;
grant update on command to xunlu_jobs;
