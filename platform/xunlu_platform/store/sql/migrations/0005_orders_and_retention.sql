-- Voice notes, orders to a unit with all below, and how long it is kept what people said and who watched.
-- Nothing else runs while this does:
-- squawk-ignore-file ban-drop-not-null, ban-drop-constraint, ban-drop-function, constraint-missing-not-valid

-- An order without text is a voice note. Its sound may be gone by a rule; who was told what, and when, stays.
alter table message alter column text drop not null;
-- Of a unit's group: it is for everybody of the unit and of those below.
alter table message add column below boolean not null default false;
-- Who it was then, also for an author who does not see them.
alter table message_target add column name text;
-- A recorder may have to be told more than once, until it has played the note.
alter table message_target add column attempts smallint not null default 0;
-- Why it never gets there, known from the beginning: a stable name.
alter table message_target add column why text;

-- The sound of a voice note. It lies in the database, so that order and sound are one commit, and one backup.
create table voice_note (
  message_id text primary key references message,
  created_at timestamptz not null default now(),
  media_type text not null check (media_type in ('audio/webm', 'audio/ogg')),
  duration_s real not null check (duration_s > 0),
  size_bytes integer not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  sound bytea not null,
  -- Why it must not be erased, such as a case; null: nothing holds it.
  hold text
);
-- Opus is compressed already.
alter table voice_note alter column sound set storage external;
create index voice_note_created on voice_note (created_at);

alter table voice_note enable row level security;
create policy voice_note_scope on voice_note to xunlu_api using (message_id in (select id from message));
create policy voice_note_server on voice_note to xunlu_jobs using (true);
create policy message_server on message to xunlu_jobs using (true);
create policy message_target_server on message_target to xunlu_jobs using (true);
grant select, insert on voice_note to xunlu_api;
grant select (message_id, created_at, size_bytes, sha256) on voice_note to xunlu_jobs;
grant select on message to xunlu_jobs;
grant select, update on message_target to xunlu_jobs;

-- Whoever wrote an order sees what becomes of it.
create or replace function scope_messages() returns text[] language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(id), '{}') from (
    select message_id as id from message_target where person = any (scope_persons())
    union select m.id from message m join account a on a.id = m.account_id where a.officer_id = scope_officer()) seen
$$;

-- Retention ---------------------------------------------------------------------------------------------------------

alter table recording add column hold text;
alter table burst add column hold text;

alter table retention_rule drop constraint retention_rule_subject_check;
alter table retention_rule add constraint retention_rule_subject_check check (subject in (
  'position', 'telemetry', 'event', 'availability', 'dead_letter', 'audit', 'recording', 'burst', 'viewing', 'voice_note'));
insert into retention_rule (subject, keep_days) values ('recording', 180), ('burst', 180), ('viewing', 1095), ('voice_note', 180);

-- Files whose rows are gone: written down in the same transaction, erased afterwards, however often that is interrupted.
create table file_to_erase (
  -- Below the recordings folder.
  file text primary key,
  noted_at timestamptz not null default now()
);
alter table file_to_erase enable row level security;
create policy file_to_erase_server on file_to_erase to xunlu_jobs using (true);
grant select, delete on file_to_erase to xunlu_jobs;

-- What a rule may erase, $1 being its edge. A hold keeps for ever; a voice note waits a week for its recorders; a viewing
-- whose end nobody told is over by the time any rule can reach it.
create function retention_due(subject text) returns text language sql immutable as $$
  select case subject
    when 'position' then 'fix_at < $1'
    when 'recording' then 'ended_at < $1 and hold is null'
    when 'burst' then 'ended_at < $1 and hold is null'
    when 'viewing' then 'coalesce(ended_at, seen_at, asked_at) < $1'
    when 'voice_note' then 'created_at < least($1, now() - interval ''7 days'') and hold is null'
    else 'at < $1' end
$$;

create or replace function measure_retention(wanted text) returns retention_run
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
  execute format('select count(*) from %I where %s', wanted, retention_due(wanted))
    into run.rows_affected using coalesce(edge, '-infinity'::timestamptz);
  return run;
end $$;

-- Rows of one run, at most so many that the transaction stays short: the next run goes on. Files are noted with them.
create function erase_rows(wanted text, edge timestamptz) returns bigint
language plpgsql set search_path = public, pg_temp as $$
declare
  erased bigint;
  told text := case when wanted in ('recording', 'burst') then 'file' else 'null::text' end;
begin
  execute format('with gone as (
      delete from %1$I where ctid = any (array(select ctid from %1$I where %2$s limit 20000)) returning %3$s as file
    ), noted as (
      insert into file_to_erase (file) select file from gone where file is not null on conflict do nothing
    ) select count(*) from gone', wanted, retention_due(wanted), told) into erased using edge;
  return erased;
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
  if run.chunks_affected > 0 then
    perform drop_chunks(wanted::regclass, older_than => run.older_than);
  elsif wanted not in ('position', 'telemetry', 'event', 'availability') then
    run.rows_affected := erase_rows(wanted, run.older_than);
  end if;
  if run.rows_affected > 0 then
    insert into audit (username, unit_id, action, target, detail)
      select 'jobs', id, 'retention.erase', wanted, jsonb_build_object('rows', run.rows_affected, 'older_than', run.older_than)
        from unit where parent_id is null order by id limit 1;
  end if;
  return record_retention(run, false);
end $$;

drop function retention_time_column(text);
revoke execute on function retention_due(text), erase_rows(text, timestamptz) from public;
