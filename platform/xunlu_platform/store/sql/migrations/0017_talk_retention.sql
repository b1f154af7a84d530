-- Groups that people make end when nobody has talked in them for a while; how long the floor log and orders are kept.
-- Nothing else runs while this does:
-- squawk-ignore-file ban-drop-constraint, adding-foreign-key-constraint, constraint-missing-not-valid, require-concurrent-index-creation

-- Seconds without a word after which it is over; null: by nobody's silence.
alter table talk_group add column silence_s integer constraint talk_group_silence_s_check check (silence_s > 0);

alter table retention_rule drop constraint retention_rule_subject_check;
alter table retention_rule add constraint retention_rule_subject_check check (subject in (
  'position', 'telemetry', 'event', 'availability', 'dead_letter', 'audit', 'recording', 'burst', 'viewing', 'voice_note',
  'floor_entry', 'message'));
insert into retention_rule (subject, keep_days) values ('floor_entry', 180), ('message', 1095);

-- An order goes with what became of it.
alter table message_target drop constraint message_target_message_id_fkey;
alter table message_target add constraint message_target_message_id_fkey
  foreign key (message_id) references message on delete cascade;

-- A hold keeps for ever; an order waits a week for its recorders, and outlives its sound; a viewing whose end nobody told is over by
-- the time any rule can reach it.
create or replace function retention_due(subject text) returns text language sql immutable as $$
  select case subject
    when 'position' then 'fix_at < $1'
    when 'recording' then 'ended_at < $1 and hold is null'
    when 'burst' then 'ended_at < $1 and hold is null'
    when 'viewing' then 'coalesce(ended_at, seen_at, asked_at) < $1'
    when 'voice_note' then 'created_at < least($1, now() - interval ''7 days'') and hold is null'
    when 'message' then 'created_at < least($1, now() - interval ''7 days'')
      and not exists (select from voice_note n where n.message_id = t.id)'
    else 'at < $1' end
$$;

-- Whoever asked for the floor, was refused, or had it: a person's part of the floor log.
create index floor_entry_who on floor_entry (who, at);

-- What goes by rows and is held: `id` of a row of the table `subject`. What lasts began at most a day before. Of the floor log it is
-- what those concerned did, and what is shown around their bursts.
create or replace view held as
with reach as (select * from incident_reach where not released),
spoken as not materialized (
  select b.id, b.gid, b.grant_number, b.started_at, b.ended_at, h.incident_id from reach h
    join burst b on b.device_id = h.device_id and b.started_at > h.since - interval '1 day'
      and b.started_at < h.until and b.ended_at > h.since
  union
  select b.id, b.gid, b.grant_number, b.started_at, b.ended_at, h.incident_id from reach h
    join burst b on b.device_id is null and b.officer_id = h.officer_id and b.started_at > h.since - interval '1 day'
      and b.started_at < h.until and b.ended_at > h.since
), concerned as not materialized (
  select h.incident_id, h.since, h.until, p.person from reach h
    cross join lateral (
      select d.did as person from device d where d.id = h.device_id
      union all select 'u-' || d.account_id from device d where d.id = h.device_id
      union all select 'u-' || a.id from account a where a.officer_id = h.officer_id) p
)
select 'recording' as subject, r.id, h.incident_id from reach h
  join recording r on r.device_id = h.device_id and r.started_at > h.since - interval '1 day'
    and r.started_at < h.until and r.ended_at > h.since
union
select 'burst', id, incident_id from spoken
union
select 'viewing', v.id, h.incident_id from reach h
  join viewing v on v.device_id = h.device_id and v.asked_at > h.since - interval '1 day'
    and v.asked_at < h.until and coalesce(v.ended_at, v.seen_at, v.asked_at) >= h.since
union
select 'message', m.id, c.incident_id from concerned c
  join message m on m.created_at >= c.since and m.created_at < c.until
    and ('u-' || m.account_id = c.person
      or exists (select from message_target t where t.message_id = m.id and t.person = c.person))
union
select 'floor_entry', e.id, c.incident_id from concerned c
  join floor_entry e on e.who = c.person and e.at >= c.since and e.at < c.until
union
select 'floor_entry', e.id, s.incident_id from spoken s
  join floor_entry e on e.gid = s.gid and (e.grant_number = s.grant_number
    or e.at between s.started_at - interval '5 seconds' and s.ended_at + interval '5 seconds');

-- The holds of a row `t` of a subject, as what follows `select … from`. The sound of an order is held as the order is.
create or replace function retention_holds(subject text) returns text language sql immutable as $$
  select case
    when subject in ('position', 'telemetry', 'event', 'availability') then format(
      'held_history(%L) h where h.device_id = t.device_id and t.%I >= h.since and t.%2$I < h.until',
      subject, case subject when 'position' then 'fix_at' else 'at' end)
    when subject in ('dead_letter', 'audit') then '(select null::bigint as incident_id) h where false'
    when subject = 'voice_note' then 'held h where h.subject = ''message'' and h.id = t.message_id'
    else format('held h where h.subject = %L and h.id = t.id', subject) end
$$;
