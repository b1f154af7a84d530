-- Incidents: who, when and where, with what people wrote about it, whom it was shown to, and what was handed over.

-- squawk-ignore-file adding-foreign-key-constraint, require-concurrent-index-creation

create table incident (
  id bigint generated always as identity primary key,
  -- Whose it is: the scope of whoever may open it.
  unit_id bigint not null references unit,
  title text not null check (length(title) between 1 and 120),
  began_at timestamptz not null,
  ended_at timestamptz not null,
  -- A GeoJSON feature in WGS-84, as of a zone. Null: nowhere in particular.
  place jsonb,
  -- `o{officer id}` or `d{did}`.
  subjects text[] not null check (cardinality(subjects) between 1 and 50),
  -- What it was made from.
  alarm_id bigint references alarm,
  created_by bigint references account,
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  check (ended_at > began_at and ended_at - began_at <= interval '31 days')
);
create index incident_unit on incident (unit_id, id desc);
create index incident_alarm on incident (alarm_id);

-- What people wrote, and what they changed: rows are only added.
create table incident_note (
  id bigint generated always as identity primary key,
  incident_id bigint not null references incident,
  at timestamptz not null default now(),
  account_id bigint references account,
  author text not null,
  kind text not null check (kind in ('note', 'change', 'close', 'reopen')),
  text text not null check (length(text) <= 4000),
  -- Of a change: field → [before, after].
  changed jsonb not null default '{}'
);
create index incident_note_incident on incident_note (incident_id, id);

-- The steps that matter. A wrong one is struck, and stays.
create table incident_mark (
  id bigint generated always as identity primary key,
  incident_id bigint not null references incident,
  at timestamptz not null,
  -- Whom it is about; null: all.
  subject text,
  text text not null check (length(text) between 1 and 500),
  made_at timestamptz not null default now(),
  account_id bigint references account,
  author text not null,
  struck_at timestamptz,
  struck_by text
);
create index incident_mark_incident on incident_mark (incident_id, at);

-- Addresses under which a stranger sees one incident. Of the secret only the SHA-256 is kept.
create table incident_share (
  id bigint generated always as identity primary key,
  incident_id bigint not null references incident,
  secret_hash bytea not null unique check (octet_length(secret_hash) = 32),
  label text not null check (length(label) between 1 and 120),
  -- What its author saw: a unit path.
  scope text not null,
  made_at timestamptz not null default now(),
  account_id bigint references account,
  author text not null,
  expires_at timestamptz not null check (expires_at > made_at and expires_at <= made_at + interval '30 days'),
  revoked_at timestamptz,
  revoked_by text
);
create index incident_share_incident on incident_share (incident_id, id);

create table incident_share_opening (
  id bigint generated always as identity primary key,
  share_id bigint not null references incident_share,
  at timestamptz not null default now(),
  address inet,
  -- The page, or the recording or burst that was played.
  what text not null check (length(what) <= 100)
);
create index incident_share_opening_share on incident_share_opening (share_id, at desc);

create table incident_export (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  incident_id bigint not null references incident,
  -- What its author saw: a unit path, and kinds of moments.
  scope text not null,
  kinds text[] not null,
  language text not null check (language in ('zh-CN', 'en')),
  asked_at timestamptz not null default now(),
  account_id bigint references account,
  author text not null,
  state text not null default 'queued' check (state in ('queued', 'running', 'done', 'failed', 'erased')),
  -- Whoever works on it says so again and again; silent for half a minute, it is anybody's.
  worker text,
  heard_at timestamptz,
  attempts integer not null default 0,
  done_bytes bigint not null default 0,
  total_bytes bigint not null default 0,
  size_bytes bigint,
  sha256 text check (sha256 ~ '^[0-9a-f]{64}$'),
  why text,
  finished_at timestamptz
);
create index incident_export_incident on incident_export (incident_id, asked_at desc);
create index incident_export_waiting on incident_export (asked_at) where state in ('queued', 'running');

alter table incident enable row level security;
create policy incident_scope on incident to xunlu_api using (unit_id = any ((select scope_units())::bigint[]));
alter table incident_note enable row level security;
create policy incident_note_scope on incident_note to xunlu_api using (incident_id in (select id from incident));
alter table incident_mark enable row level security;
create policy incident_mark_scope on incident_mark to xunlu_api using (incident_id in (select id from incident));
alter table incident_share enable row level security;
create policy incident_share_scope on incident_share to xunlu_api using (incident_id in (select id from incident));
alter table incident_share_opening enable row level security;
create policy incident_share_opening_scope on incident_share_opening to xunlu_api
  using (share_id in (select id from incident_share));
alter table incident_export enable row level security;
create policy incident_export_scope on incident_export to xunlu_api using (incident_id in (select id from incident));
create policy incident_export_server on incident_export to xunlu_jobs using (true);

grant select, insert on incident, incident_note, incident_mark, incident_share, incident_share_opening, incident_export
  to xunlu_api;
grant update (title, began_at, ended_at, place, subjects, closed_at) on incident to xunlu_api;
grant update (struck_at, struck_by) on incident_mark to xunlu_api;
grant update (revoked_at, revoked_by) on incident_share to xunlu_api;
grant select, update on incident_export to xunlu_jobs;
