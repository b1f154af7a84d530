-- Push-to-talk: who may talk where, what was said and by whom, and orders by text.

-- A talk group. Every unit has its squad group, which has the unit's name; all others are made by people or by rules.
create table talk_group (
  gid text primary key check (gid ~ '^[A-Za-z0-9_-]{1,64}$'),
  -- Whose it is: the scope of a dispatcher.
  unit_id bigint not null references unit,
  kind text not null check (kind in ('squad', 'standing', 'temporary', 'private', 'broadcast', 'emergency')),
  name text check (length(name) between 1 and 64),
  duplex boolean not null default false,
  -- The alarm that called it.
  alarm_id bigint references alarm,
  created_by bigint references account,
  created_at timestamptz not null default now(),
  -- Over then by itself; null: when somebody closes it.
  until timestamptz,
  closed_at timestamptz,
  check ((kind = 'squad') = (name is null)),
  check (kind = 'private' or not duplex)
);
create index talk_group_unit on talk_group (unit_id);
create unique index talk_group_squad on talk_group (unit_id) where kind = 'squad';
create index talk_group_open on talk_group (until) where closed_at is null and kind <> 'squad';

-- A participant by name, or everybody of a unit and below. Squad groups have none: theirs follow the bindings.
create table talk_group_member (
  id bigint generated always as identity primary key,
  gid text not null references talk_group,
  person text check (person ~ '^[A-Za-z0-9_-]{1,64}$'),
  unit_id bigint references unit,
  listener boolean not null default false,
  check (num_nonnulls(person, unit_id) = 1)
);
create index talk_group_member_gid on talk_group_member (gid);
create index talk_group_member_person on talk_group_member (person);

insert into talk_group (gid, unit_id, kind) select 'unit-' || id, id, 'squad' from unit;

-- As the owner: whoever may make a unit need not be allowed to make talk groups.
create function give_unit_its_group() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into talk_group (gid, unit_id, kind) values ('unit-' || new.id, new.id, 'squad');
  return null;
end $$;
create trigger unit_has_group after insert on unit for each row execute function give_unit_its_group();

-- Who can take part: approved recorders, and accounts whose role talks. A recorder belongs to who wears it.
create view talk_person with (security_invoker = true) as
select d.did as person, d.did, left(coalesce(o.name, d.did), 64) as name, o.number, coalesce(o.unit_id, d.unit_id) as unit_id,
    o.id as officer_id, d.id as device_id, null::bigint as account_id
  from device d
    left join binding b on b.device_id = d.id and b.released_at is null
    left join officer o on o.id = b.officer_id and o.active
  where d.status = 'approved' and d.kind = 'recorder'
union all
select 'u-' || a.id, d.did, left(a.display_name, 64), o.number, coalesce(o.unit_id, a.unit_id), o.id, d.id, a.id
  from account a
    left join officer o on o.id = a.officer_id and o.active
    left join binding b on b.officer_id = o.id and b.released_at is null
    left join device d on d.id = b.device_id and d.status = 'approved' and d.kind = 'recorder'
  where a.disabled_at is null and a.role in ('administrator', 'supervisor', 'dispatcher', 'officer');

-- Members of every group: the officers of the very unit in its squad group; whom people named; units with all below. Whoever
-- is named twice talks when one of the names may.
create view talk_member with (security_invoker = true) as
select gid, person, name, number, did, device_id, account_id, bool_and(listener) as listener from (
  select g.gid, p.*, false as listener
    from talk_group g join talk_person p on p.unit_id = g.unit_id and p.officer_id is not null where g.kind = 'squad'
  union all
  select m.gid, p.*, m.listener from talk_group_member m join talk_person p on p.person = m.person
  union all
  select m.gid, p.*, m.listener
    from talk_group_member m join unit top on top.id = m.unit_id
      join unit below on below.path like top.path || '%' join talk_person p on p.unit_id = below.id
    where p.officer_id is not null
) named group by gid, person, name, number, did, device_id, account_id;

-- What happened in a group, as the talk server tells it. Evidence: nobody alters or deletes a row. A group that a restored
-- database does not know is kept, too: its log belongs to the highest unit.
create table floor_entry (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  gid text not null,
  unit_id bigint not null references unit,
  at timestamptz not null,
  what text not null,
  who text not null,
  by_whom text,
  grant_number bigint,
  urgency smallint not null,
  priority smallint not null,
  received_at timestamptz not null default now()
);
create index floor_entry_group on floor_entry (gid, at);

-- A finished burst. Evidence: nobody alters or deletes a row.
create table burst (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  gid text not null,
  unit_id bigint not null references unit,
  talker text not null,
  device_id bigint references device,
  -- Who wore the device when it began, or whose account talked.
  officer_id bigint references officer,
  grant_number bigint not null,
  urgency smallint not null,
  -- Below the recordings folder.
  file text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  size_bytes bigint not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  lost bigint not null,
  -- False when the process was killed and its successor closed the file.
  complete boolean not null,
  -- Last fix of the device when it began.
  lat double precision,
  lon double precision,
  fix_at timestamptz,
  registered_at timestamptz not null default now()
);
create index burst_started on burst (started_at desc, id desc);
create index burst_group on burst (gid, started_at desc);
create index burst_device on burst (device_id, started_at desc);

-- An order by text, and what became of it at each of those it was for.
create table message (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  -- Of the device or the group that it was for.
  unit_id bigint not null references unit,
  target text not null,
  text text not null check (length(text) between 1 and 500),
  speak boolean not null,
  account_id bigint not null references account,
  username text not null,
  created_at timestamptz not null default now()
);
create index message_created on message (created_at desc, id desc);
create table message_target (
  message_id text not null references message,
  person text not null,
  -- The command that reads it aloud; its steps are the message's.
  rid text references command,
  -- For who reads it on a screen.
  delivered_at timestamptz,
  read_at timestamptz,
  primary key (message_id, person)
);
create index message_target_person on message_target (person, message_id);

-- Scope. Somebody of the role `officer` sees the groups and messages that they are in. As the owner: the policies of these
-- tables ask each other.
create function scope_persons() returns text[] language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(person), '{}') from talk_person where officer_id = scope_officer()
$$;
create function scope_groups() returns text[] language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(distinct gid), '{}') from talk_member where person = any (scope_persons())
$$;
create function scope_messages() returns text[] language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(message_id), '{}') from message_target where person = any (scope_persons())
$$;

alter table talk_group enable row level security;
create policy talk_group_scope on talk_group to xunlu_api using (case when (select scope_officer()) is null
  then unit_id = any ((select scope_units())::bigint[]) else gid = any ((select scope_groups())::text[]) end);
create policy talk_group_server on talk_group to xunlu_jobs using (true);
alter table talk_group_member enable row level security;
create policy talk_group_member_scope on talk_group_member to xunlu_api using (gid in (select gid from talk_group));
create policy talk_group_member_server on talk_group_member to xunlu_jobs using (true);
alter table floor_entry enable row level security;
create policy floor_entry_scope on floor_entry to xunlu_api
  using ((select scope_officer()) is null and unit_id = any ((select scope_units())::bigint[]));
create policy floor_entry_server on floor_entry to xunlu_jobs using (true);
alter table burst enable row level security;
create policy burst_scope on burst to xunlu_api using ((select scope_officer()) is null
  and (unit_id = any ((select scope_units())::bigint[]) or device_id in (select id from device)));
create policy burst_server on burst to xunlu_jobs using (true);
alter table message enable row level security;
create policy message_scope on message to xunlu_api using (case when (select scope_officer()) is null
  then unit_id = any ((select scope_units())::bigint[]) else id = any ((select scope_messages())::text[]) end);
alter table message_target enable row level security;
create policy message_target_scope on message_target to xunlu_api using (message_id in (select id from message));
create policy account_server on account to xunlu_jobs using (true);

grant select on talk_person, talk_member to xunlu_api, xunlu_jobs;
grant select, insert, update on talk_group to xunlu_api, xunlu_jobs;
grant select, insert on talk_group_member to xunlu_api, xunlu_jobs;
grant select on floor_entry, burst to xunlu_api;
grant select, insert on floor_entry, burst to xunlu_jobs;
grant select, insert on message to xunlu_api;
grant select, insert, update on message_target to xunlu_api;
-- Who takes part, and who barged in: never a password.
grant select (id, unit_id, username, display_name, role, officer_id, disabled_at) on account to xunlu_jobs;
grant select on officer to xunlu_jobs;
grant insert on audit to xunlu_jobs;
