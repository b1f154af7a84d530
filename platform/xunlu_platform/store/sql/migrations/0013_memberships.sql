-- Who served in which unit from when to when, so that a day counts for the squad in which it was served.

-- squawk-ignore-file adding-foreign-key-constraint, require-concurrent-index-creation

create table membership (
  officer_id bigint not null references officer,
  unit_id bigint not null references unit,
  -- -infinity: the first unit that we know of.
  since timestamptz not null,
  -- Null: still.
  until timestamptz check (until >= since),
  primary key (officer_id, since)
);
create index membership_unit on membership (unit_id);
create unique index membership_now on membership (officer_id) where until is null;

-- The moves that the audit log tells of; of officers of whom it does not lead to today's unit, only that is known.
with told as (
  select o.id as officer_id, u.id as unit_id, a.at, lag(u.id) over own as before_id,
    last_value(u.id) over (own rows between unbounded preceding and unbounded following) = o.unit_id as leads_here
  from officer o
    join audit a on a.target = o.number and a.action in ('officer.create', 'officer.change') and a.at >= o.created_at
    join unit u on u.id = (a.detail ->> 'unit_id')::bigint and u.tenant = o.tenant
  window own as (partition by o.id order by a.id)
), came as (
  select officer_id, unit_id, at from told where leads_here and unit_id is distinct from before_id
  union all
  select id, unit_id, created_at from officer where id not in (select officer_id from told where leads_here)
)
insert into membership (officer_id, unit_id, since, until)
  select officer_id, unit_id, case when lag(at) over own is null then '-infinity' else at end, lead(at) over own
  from came window own as (partition by officer_id order by at);

-- Whoever moves somebody, and however: the history follows. Moves of one officer wait for each other's row, not for the clock.
create function note_membership() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  moved_at timestamptz;
begin
  update membership set until = greatest(clock_timestamp(), since) where officer_id = new.id and until is null
    returning until into moved_at;
  insert into membership (officer_id, unit_id, since) values (new.id, new.unit_id, coalesce(moved_at, '-infinity'))
    on conflict (officer_id, since) do update set unit_id = excluded.unit_id, until = null;
  return null;
end $$;
revoke execute on function note_membership() from public;
create trigger officer_came after insert on officer for each row execute function note_membership();
create trigger officer_moved after update of unit_id on officer
  for each row when (old.unit_id <> new.unit_id) execute function note_membership();

alter table membership enable row level security;
create policy membership_scope on membership to xunlu_api using (unit_id = any ((select scope_units())::bigint[])
  and coalesce((select scope_officer()), officer_id) = officer_id);
grant select on membership to xunlu_api;
