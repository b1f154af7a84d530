-- The roster: who is to be on duty from when to when, and where.

-- squawk-ignore-file adding-foreign-key-constraint, require-concurrent-index-creation

-- One shift of one officer. Nothing is overwritten: a change withdraws a row and adds another.
create table shift (
  id bigint generated always as identity primary key,
  officer_id bigint not null references officer,
  begins_at timestamptz not null,
  ends_at timestamptz not null,
  -- Where: a post, or another zone. Null: nowhere in particular.
  zone_id bigint references zone,
  note text not null default '' check (length(note) <= 200),
  created_by bigint references account,
  created_at timestamptz not null default now(),
  -- It no longer holds, and stays to be looked at.
  withdrawn_at timestamptz,
  withdrawn_by bigint references account,
  check (ends_at > begins_at and ends_at - begins_at <= interval '24 hours'),
  -- Nobody is on two shifts at once. A range of one number, because GiST knows no equality of numbers by itself.
  constraint shift_apart exclude using gist (int8range(officer_id, officer_id, '[]') with &&, tstzrange(begins_at, ends_at) with &&)
    where (withdrawn_at is null)
);
create index shift_officer on shift (officer_id, begins_at);
create index shift_begins on shift (begins_at, id);
create index shift_zone on shift (zone_id, begins_at);

alter table shift enable row level security;
create policy shift_scope on shift to xunlu_api using (officer_id in (select id from officer));

grant select, insert on shift to xunlu_api;
grant update (withdrawn_at, withdrawn_by) on shift to xunlu_api;
