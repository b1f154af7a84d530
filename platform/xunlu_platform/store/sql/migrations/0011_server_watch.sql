-- A power cut ends the broker, too, and nobody is left to say that a process has gone: so we note when somebody listened.

-- Times in which the jobs process heard of the other processes: its broker and its database both answered.
-- Between two of them anybody may have gone unheard.
create table server_watch (
  id bigint generated always as identity primary key,
  since timestamptz not null default now(),
  until timestamptz not null default now(),
  check (until >= since)
);
create index server_watch_until on server_watch (until);

grant select, insert, update, delete on server_watch to xunlu_jobs;
