-- name: retention
-- With the last run of each rule, and the titles of the incidents that held something back then.
select r.subject, r.keep_days, r.enabled, r.changed_at,
  (select jsonb_build_object('at', u.at, 'dry_run', u.dry_run, 'older_than', u.older_than,
      'rows_affected', u.rows_affected, 'chunks_affected', u.chunks_affected, 'rows_held', u.rows_held,
      'held', (select coalesce(jsonb_agg(jsonb_build_object('id', i.id, 'title', i.title, 'rows', h.rows)
          order by h.rows desc, h.incident), '[]')
        from jsonb_to_recordset(u.held) h(incident bigint, rows bigint) left join incident i on i.id = h.incident))
    from retention_run u where u.subject = r.subject order by u.at desc, u.id desc limit 1) as last_run
from retention_rule r
where (%(subject)s::text is null or r.subject = %(subject)s)
order by r.subject

-- name: change_retention
update retention_rule set keep_days = %(keep_days)s, enabled = %(enabled)s, changed_at = now() where subject = %(subject)s

-- name: preview_retention
select at from preview_retention(%(subject)s)

-- name: dead_letters
select id, at, topic, reason, message, length(payload) as bytes from dead_letter
where (%(after)s::bigint is null or id < %(after)s)
order by id desc limit %(limit)s

-- name: refusals
select reason, count(*) as messages, max(at) as last_at from dead_letter
where at > now() - interval '1 day' group by reason order by messages desc limit 50

-- name: processes
-- A process counts under its name before the `@`, for a new machine may stand for the old one. Jobs write this down: nobody else
-- says that they are gone.
select distinct on (split_part(host, '@', 1)) host, at,
    online and (host not like 'jobs@%%' or exists (select from server_watch where until > now() - interval '30 s')) as online
  from server_state order by split_part(host, '@', 1), at desc, id desc

-- name: database
select current_setting('server_version') as postgresql,
  (select extversion from pg_extension where extname = 'timescaledb') as timescaledb,
  current_setting('timescaledb.license', true) as license,
  (select coalesce(max(number), 0) from migration) as migration,
  pg_database_size(current_database()) as bytes

-- name: sizes
-- Chunks count to their hypertable.
select t.relname as name,
  pg_total_relation_size(t.oid) + coalesce((
    select sum(pg_total_relation_size(format('%%I.%%I', c.chunk_schema, c.chunk_name)::regclass))
    from timescaledb_information.chunks c where c.hypertable_schema = 'public' and c.hypertable_name = t.relname), 0)::bigint
  as bytes
from pg_class t join pg_namespace n on n.oid = t.relnamespace
where n.nspname = 'public' and t.relkind = 'r'
order by bytes desc limit 10

-- name: lags
select
  (select count(*) from device where status = 'pending') as devices_pending,
  (select count(*) from device_state where availability = 'online') as devices_online,
  (select extract(epoch from now() - max(changed_at)) from device_state) as last_report_age_s,
  (select count(*) from position_hour_due) as hours_due,
  (select extract(epoch from now() - min(created_at)) from command where state = 'queued') as oldest_queued_command_s
