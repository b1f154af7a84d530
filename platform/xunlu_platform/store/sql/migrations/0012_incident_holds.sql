-- An incident holds what it names: no rule erases it until somebody releases the incident.
-- Nothing else runs while this does:
-- squawk-ignore-file ban-drop-function, ban-drop-trigger, adding-foreign-key-constraint, require-concurrent-index-creation

-- Who closed the incident let go of what it held.
alter table incident add column released_at timestamptz;
alter table incident add constraint incident_released check (released_at is null or closed_at is not null) not valid;
grant update (released_at) on incident to xunlu_api;

-- Whom and which device an incident names, and when: the officer, what they wore, and devices by their name. It is computed, so
-- that whoever is added later, or bound later, counts at once. With the owner's eyes: who asks sees only their own rows of others.
create view incident_reach as
select i.id as incident_id, i.released_at is not null as released, null::bigint as device_id, who.officer_id,
    i.began_at as since, i.ended_at as until
  from incident i cross join unnest(i.subjects) k
    cross join lateral (select case when k like 'o%' then substr(k, 2)::bigint end as officer_id) who
  where who.officer_id is not null
union all
select i.id, i.released_at is not null, b.device_id, null, greatest(i.began_at, b.bound_at), least(i.ended_at, b.released_at)
  from incident i cross join unnest(i.subjects) k
    join binding b on b.officer_id = case when k like 'o%' then substr(k, 2)::bigint end
  where b.bound_at < i.ended_at and coalesce(b.released_at > i.began_at, true)
union all
select i.id, i.released_at is not null, d.id, null, i.began_at, i.ended_at
  from incident i cross join unnest(i.subjects) k join device d on d.did = substr(k, 2)
  where k like 'd%';

-- What goes by rows and is held: `id` of a row of the table `subject`. What lasts began at most a day before.
create view held as
with reach as (select * from incident_reach where not released)
select 'recording' as subject, r.id, h.incident_id from reach h
  join recording r on r.device_id = h.device_id and r.started_at > h.since - interval '1 day'
    and r.started_at < h.until and r.ended_at > h.since
union
select 'burst', b.id, h.incident_id from reach h
  join burst b on b.device_id = h.device_id and b.started_at > h.since - interval '1 day'
    and b.started_at < h.until and b.ended_at > h.since
union
select 'burst', b.id, h.incident_id from reach h
  join burst b on b.device_id is null and b.officer_id = h.officer_id and b.started_at > h.since - interval '1 day'
    and b.started_at < h.until and b.ended_at > h.since
union
select 'viewing', v.id, h.incident_id from reach h
  join viewing v on v.device_id = h.device_id and v.asked_at > h.since - interval '1 day'
    and v.asked_at < h.until and coalesce(v.ended_at, v.seen_at, v.asked_at) >= h.since
union
select 'voice_note', m.id, h.incident_id from reach h
  cross join lateral (
    select d.did as person from device d where d.id = h.device_id
    union all select 'u-' || d.account_id from device d where d.id = h.device_id
    union all select 'u-' || a.id from account a where a.officer_id = h.officer_id) p
  join message m on m.created_at >= h.since and m.created_at < h.until
    and ('u-' || m.account_id = p.person
      or exists (select from message_target t where t.message_id = m.id and t.person = p.person));

-- What goes by time and is held: of what was where, whole hours, so that their shapes and roll-ups stay true; of what explains the
-- gaps between, a day on both sides.
create function held_history(wanted text)
returns table (incident_id bigint, device_id bigint, since timestamptz, until timestamptz) language sql stable as $$
  select h.incident_id, h.device_id, date_trunc('hour', h.since) - around.it,
      date_trunc('hour', h.until) + interval '1 hour' + around.it
    from incident_reach h
      cross join (select case when wanted in ('telemetry', 'availability') then interval '1 day' else interval '0' end as it) around
    where not h.released and h.device_id is not null
$$;

-- The holds of a row `t` of a subject, as what follows `select … from`.
create function retention_holds(subject text) returns text language sql immutable as $$
  select case
    when subject in ('position', 'telemetry', 'event', 'availability') then format(
      'held_history(%L) h where h.device_id = t.device_id and t.%I >= h.since and t.%2$I < h.until',
      subject, case subject when 'position' then 'fix_at' else 'at' end)
    when subject in ('dead_letter', 'audit') then '(select null::bigint as incident_id) h where false'
    else format('held h where h.subject = %L and h.id = t.%I',
      subject, case subject when 'voice_note' then 'message_id' else 'id' end) end
$$;

-- What a rule has erased, so that an incident can say so: whose it was and when, nothing of what was in it. Of positions the time of
-- a chunk; what was held then is still there.
create table erasure (
  subject text not null,
  -- Of the row, or of the chunk.
  id text not null,
  device_id bigint references device,
  officer_id bigint references officer,
  since timestamptz not null,
  until timestamptz not null,
  sha256 text,
  erased_at timestamptz not null default now(),
  primary key (subject, id)
);
create index erasure_device on erasure (device_id, since);
alter table erasure enable row level security;
create policy erasure_scope on erasure to xunlu_api using (device_id in (select id from device)
  or device_id is null and (officer_id is null or officer_id in (select id from officer)));
grant select on incident_reach, held, erasure to xunlu_api;

-- Runs --------------------------------------------------------------------------------------------------------------

alter table retention_run add column rows_held bigint not null default 0;
-- [{"incident": id, "rows": n}], most first, at most a hundred.
alter table retention_run add column held jsonb not null default '[]';

-- Chunks that are older than an edge and have rows that nothing holds, with their number.
create function erasable_chunks(wanted text, edge timestamptz)
returns table (chunk text, since timestamptz, until timestamptz, erasable bigint)
language plpgsql stable set search_path = public, pg_temp as $$
begin
  for chunk, since, until in
    select format('%I.%I', chunk_schema, chunk_name), range_start, range_end from timescaledb_information.chunks
      where hypertable_schema = 'public' and hypertable_name = wanted and range_end <= edge order by range_start
  loop
    execute format('select count(*) from %s t where not exists (select from %s)', chunk, retention_holds(wanted)) into erasable;
    if erasable > 0 then
      return next;
    end if;
  end loop;
end $$;

create or replace function measure_retention(wanted text) returns retention_run
language plpgsql stable set search_path = public, pg_temp as $$
declare
  run retention_run;
begin
  select wanted, now() - make_interval(days => keep_days), 0 into strict run.subject, run.older_than, run.chunks_affected
    from retention_rule where subject = wanted;
  if wanted in ('position', 'telemetry', 'event', 'availability') then
    select count(*), coalesce(sum(erasable), 0) into run.chunks_affected, run.rows_affected
      from erasable_chunks(wanted, run.older_than);
  else
    execute format('select count(*) from %I t where %s and not exists (select from %s)',
      wanted, retention_due(wanted), retention_holds(wanted)) into run.rows_affected using run.older_than;
  end if;
  execute format('with spared as (
      select h.incident_id, count(distinct (t.tableoid, t.ctid)) as n from %I t
        cross join lateral (select h.incident_id from %s) h where %s
        group by grouping sets ((h.incident_id), ()) order by n desc, h.incident_id nulls first limit 101
    ) select coalesce(max(n), 0), coalesce(jsonb_agg(jsonb_build_object(''incident'', incident_id, ''rows'', n)
        order by n desc, incident_id) filter (where incident_id is not null), ''[]'') from spared',
    wanted, retention_holds(wanted), retention_due(wanted)) into run.rows_held, run.held using run.older_than;
  return run;
end $$;

create or replace function record_retention(run retention_run, dry_run boolean) returns retention_run
language sql set search_path = public, pg_temp as $$
  insert into retention_run (subject, dry_run, older_than, rows_affected, chunks_affected, rows_held, held)
    values (run.subject, dry_run, run.older_than, run.rows_affected, run.chunks_affected, run.rows_held, run.held) returning *
$$;

-- Rows of one run, at most so many that the transaction stays short: the next run goes on. Files are noted with them.
create or replace function erase_rows(wanted text, edge timestamptz) returns bigint
language plpgsql set search_path = public, pg_temp as $$
declare
  erased bigint;
  media boolean := wanted in ('recording', 'burst');
  told text := case when media then ', noted as (
      insert into file_to_erase (file) select file from gone on conflict do nothing
    ), told as (
      insert into erasure (subject, id, device_id, officer_id, since, until, sha256)
        select %1$L, id, device_id, officer_id, started_at, ended_at, sha256 from gone on conflict do nothing
    )' else '' end;
begin
  execute format('with gone as (
      delete from %1$I where ctid = any (array(
        select t.ctid from %1$I t where %2$s and not exists (select from %3$s) limit 20000))
        returning %4$s
    )' || told || ' select count(*) from gone', wanted, retention_due(wanted), retention_holds(wanted),
    case when media then 'id, device_id, officer_id, started_at, ended_at, sha256, file' else '1' end)
    into erased using edge;
  return erased;
end $$;

-- Whole chunks go, because millions of rows one by one would take hours. What is held is taken out before, and put back into a chunk
-- of its own; the shapes of positions go with them.
create function erase_chunks(wanted text, edge timestamptz) returns void
language plpgsql set search_path = public, pg_temp as $$
declare
  gone record;
begin
  for gone in select * from erasable_chunks(wanted, edge) loop
    execute format('lock table %s in access exclusive mode', gone.chunk);
    execute format('create temp table spared on commit drop as select t.* from %s t where exists (select from %s)',
      gone.chunk, retention_holds(wanted));
    perform drop_chunks(wanted::regclass, older_than => gone.until, newer_than => gone.since);
    execute format('insert into %I overriding system value select * from spared', wanted);
    drop table spared;
    if wanted = 'position' then
      insert into erasure (subject, id, since, until) values (wanted, gone.chunk, gone.since, gone.until);
      delete from track_piece t where t.hour >= gone.since and t.hour < gone.until and not exists (
        select from held_history(wanted) h where h.device_id = t.device_id and t.hour >= h.since and t.hour < h.until);
    end if;
  end loop;
end $$;

create or replace function apply_retention(wanted text) returns retention_run
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
  if wanted in ('position', 'telemetry', 'event', 'availability') then
    perform erase_chunks(wanted, run.older_than);
  else
    run.rows_affected := erase_rows(wanted, run.older_than);
  end if;
  if run.rows_affected > 0 then
    insert into audit (username, unit_id, action, target, detail)
      select 'jobs', id, 'retention.erase', wanted, jsonb_build_object('rows', run.rows_affected, 'older_than', run.older_than)
        from unit where parent_id is null order by id limit 1;
  end if;
  return record_retention(run, false);
end $$;

drop trigger retention_run_of_positions on retention_run;
drop function forget_track_pieces();
revoke execute on function held_history(text), retention_holds(text), erasable_chunks(text, timestamptz),
  erase_chunks(text, timestamptz) from public;
