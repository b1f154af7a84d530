-- Live video: who watched whom, what was to be recorded, and what was.

-- Somebody asked for a live picture. The relay tells when it came and when it ended; names are kept as in `audit`.
create table viewing (
  -- `jti` of the token.
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  device_id bigint not null references device,
  account_id bigint references account,
  username text not null default '',
  asked_at timestamptz not null default now(),
  -- First picture sent; null when none ever was.
  began_at timestamptz,
  -- When the relay last named it.
  seen_at timestamptz,
  ended_at timestamptz,
  sent_bytes bigint not null default 0,
  why text
);
create index viewing_asked on viewing (asked_at desc, id desc);
create index viewing_device on viewing (device_id, asked_at desc);
create index viewing_open on viewing (device_id) where began_at is not null and ended_at is null;

-- "Record this device whenever it is live." What the broker retains follows from the open ones.
create table recording_order (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  device_id bigint not null references device,
  why text not null check (why in ('hand', 'sos', 'always')),
  account_id bigint references account,
  username text,
  created_at timestamptz not null default now(),
  -- Ends then by itself; null: when somebody ends it.
  until timestamptz,
  ended_at timestamptz
);
create unique index recording_order_open on recording_order (device_id, why) where ended_at is null;

-- A finished file of the recorder process. Evidence: nobody alters or deletes a row.
create table recording (
  id text primary key check (id ~ '^[A-Za-z0-9_-]{1,64}$'),
  device_id bigint not null references device,
  -- Who wore the device when it began.
  officer_id bigint references officer,
  order_id text references recording_order,
  why text not null check (why in ('hand', 'sos', 'always')),
  -- Below the recordings folder.
  file text not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  size_bytes bigint not null,
  sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
  video text,
  audio text,
  -- Stretches without video: [{"from_ms": …, "to_ms": …}].
  gaps jsonb not null default '[]',
  -- False when the process was killed and its successor closed the file.
  complete boolean not null,
  registered_at timestamptz not null default now()
);
create index recording_started on recording (started_at desc, id desc);
create index recording_device on recording (device_id, started_at desc);

alter table viewing enable row level security;
create policy viewing_scope on viewing to xunlu_api using (device_id in (select id from device));
create policy viewing_server on viewing to xunlu_jobs using (true);
alter table recording_order enable row level security;
create policy recording_order_scope on recording_order to xunlu_api using (device_id in (select id from device));
create policy recording_order_server on recording_order to xunlu_jobs using (true);
alter table recording enable row level security;
create policy recording_scope on recording to xunlu_api using (device_id in (select id from device));
create policy recording_server on recording to xunlu_jobs using (true);

grant select, insert on viewing to xunlu_api;
grant select, insert, update on viewing to xunlu_jobs;
grant select, insert, update on recording_order to xunlu_api, xunlu_jobs;
grant select on recording to xunlu_api;
grant select, insert on recording to xunlu_jobs;

-- The rule for SOS sends commands and looks at alarms; a recording belongs to who wore the device.
grant insert on command to xunlu_jobs;
grant select on alarm, binding to xunlu_jobs;
