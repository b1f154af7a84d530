-- Comings and goings are told to the desks as they happen; an alarm of a zone is as grave as its rule says, and is withdrawn with its event.

-- squawk-ignore-file require-concurrent-index-creation

-- When it was found, or found to be wrong: what no frame told is read by this.
alter table zone_event add column changed_at timestamptz not null default now();
create index zone_event_changed on zone_event (changed_at);

-- Of an alarm: 0 none, 1 rings once, 2 rings until somebody has it. Null: by the kind of the zone.
alter table zone_version add column severity smallint constraint zone_version_severity_check check (severity between 0 and 2);

-- Later fixes showed that it was none.
alter table alarm add column withdrawn_at timestamptz;
create index alarm_zone on alarm (zone_id, fix_at) where zone_id is not null;

-- Who stands at which post now.
alter table zone_watch enable row level security;
create policy zone_watch_scope on zone_watch to xunlu_api using (device_id in (select id from device));
create policy zone_watch_server on zone_watch to xunlu_ingest, xunlu_jobs using (true);

grant select on zone_watch to xunlu_api;
grant update (changed_at) on zone_event to xunlu_ingest, xunlu_jobs;
grant update (state, closed_at, withdrawn_at) on alarm to xunlu_jobs;
