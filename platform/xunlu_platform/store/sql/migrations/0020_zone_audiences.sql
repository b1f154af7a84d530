-- Whom a zone concerned is kept like everything else of the past, and those who judge the past may read where officers served and were rostered.

-- An audience is never overwritten. What earlier versions of a zone said nobody kept: today's stands for all of them.
alter table zone_audience add column since timestamptz not null default '-infinity';
alter table zone_audience add column until timestamptz;
revoke delete on zone_audience from xunlu_api;
grant update (until) on zone_audience to xunlu_api;

create policy membership_server on membership to xunlu_jobs using (true);
create policy shift_server on shift to xunlu_ingest, xunlu_jobs using (true);
grant select on membership to xunlu_jobs;
grant select on shift to xunlu_ingest, xunlu_jobs;
