-- What all migrations together make; written by `make docs`, never by hand.

CREATE EXTENSION IF NOT EXISTS timescaledb WITH SCHEMA public;

COMMENT ON EXTENSION timescaledb IS 'Enables scalable inserts and complex queries for time-series data (Apache 2 Edition)';

CREATE TABLE public.retention_run (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    subject text NOT NULL,
    dry_run boolean NOT NULL,
    older_than timestamp with time zone NOT NULL,
    rows_affected bigint NOT NULL,
    chunks_affected integer NOT NULL,
    rows_held bigint DEFAULT 0 NOT NULL,
    held jsonb DEFAULT '[]'::jsonb NOT NULL
);

CREATE FUNCTION public.apply_retention(wanted text) RETURNS public.retention_run
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.erasable_chunks(wanted text, edge timestamp with time zone) RETURNS TABLE(chunk text, since timestamp with time zone, until timestamp with time zone, erasable bigint)
    LANGUAGE plpgsql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.erase_chunks(wanted text, edge timestamp with time zone) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.erase_rows(wanted text, edge timestamp with time zone) RETURNS bigint
    LANGUAGE plpgsql
    SET search_path TO 'public', 'pg_temp'
    AS $_$
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
end $_$;

CREATE FUNCTION public.give_unit_its_group() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
begin
  insert into talk_group (gid, unit_id, kind) values ('unit-' || new.id, new.id, 'squad');
  return null;
end $$;

CREATE FUNCTION public.held_history(wanted text) RETURNS TABLE(incident_id bigint, device_id bigint, since timestamp with time zone, until timestamp with time zone)
    LANGUAGE sql STABLE
    AS $$
  select h.incident_id, h.device_id, date_trunc('hour', h.since) - around.it,
      date_trunc('hour', h.until) + interval '1 hour' + around.it
    from incident_reach h
      cross join (select case when wanted in ('telemetry', 'availability') then interval '1 day' else interval '0' end as it) around
    where not h.released and h.device_id is not null
$$;

CREATE FUNCTION public.measure_retention(wanted text) RETURNS public.retention_run
    LANGUAGE plpgsql STABLE
    SET search_path TO 'public', 'pg_temp'
    AS $$
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

CREATE FUNCTION public.note_membership() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  moved_at timestamptz;
begin
  update membership set until = greatest(clock_timestamp(), since) where officer_id = new.id and until is null
    returning until into moved_at;
  insert into membership (officer_id, unit_id, since) values (new.id, new.unit_id, coalesce(moved_at, '-infinity'))
    on conflict (officer_id, since) do update set unit_id = excluded.unit_id, until = null;
  return null;
end $$;

CREATE FUNCTION public.place_unit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  if new.parent_id is null then
    new.path := '/' || new.id || '/';
  else
    select path || new.id || '/' into new.path from unit where id = new.parent_id and tenant = new.tenant;
  end if;
  return new;
end $$;

CREATE FUNCTION public.preview_retention(wanted text) RETURNS public.retention_run
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select record_retention(measure_retention(wanted), true)
$$;

CREATE FUNCTION public.record_retention(run public.retention_run, dry_run boolean) RETURNS public.retention_run
    LANGUAGE sql
    SET search_path TO 'public', 'pg_temp'
    AS $$
  insert into retention_run (subject, dry_run, older_than, rows_affected, chunks_affected, rows_held, held)
    values (run.subject, dry_run, run.older_than, run.rows_affected, run.chunks_affected, run.rows_held, run.held) returning *
$$;

CREATE FUNCTION public.retention_due(subject text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
  select case subject
    when 'position' then 'fix_at < $1'
    when 'recording' then 'ended_at < $1 and hold is null'
    when 'burst' then 'ended_at < $1 and hold is null'
    when 'viewing' then 'coalesce(ended_at, seen_at, asked_at) < $1'
    when 'voice_note' then 'created_at < least($1, now() - interval ''7 days'') and hold is null'
    when 'message' then 'created_at < least($1, now() - interval ''7 days'')
      and not exists (select from voice_note n where n.message_id = t.id)'
    else 'at < $1' end
$_$;

CREATE FUNCTION public.retention_holds(subject text) RETURNS text
    LANGUAGE sql IMMUTABLE
    AS $_$
  select case
    when subject in ('position', 'telemetry', 'event', 'availability') then format(
      'held_history(%L) h where h.device_id = t.device_id and t.%I >= h.since and t.%2$I < h.until',
      subject, case subject when 'position' then 'fix_at' else 'at' end)
    when subject in ('dead_letter', 'audit') then '(select null::bigint as incident_id) h where false'
    when subject = 'voice_note' then 'held h where h.subject = ''message'' and h.id = t.message_id'
    else format('held h where h.subject = %L and h.id = t.id', subject) end
$_$;

CREATE FUNCTION public.scope_devices() RETURNS bigint[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select coalesce(array_agg(device_id), '{}') from binding where officer_id = scope_officer() and released_at is null
$$;

CREATE FUNCTION public.scope_groups() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select coalesce(array_agg(distinct gid), '{}') from talk_member where person = any (scope_persons())
$$;

CREATE FUNCTION public.scope_messages() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select coalesce(array_agg(id), '{}') from (
    select message_id as id from message_target where person = any (scope_persons())
    union select m.id from message m join account a on a.id = m.account_id where a.officer_id = scope_officer()) seen
$$;

CREATE FUNCTION public.scope_officer() RETURNS bigint
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
  select nullif(current_setting('xunlu.officer', true), '')::bigint
$$;

CREATE FUNCTION public.scope_persons() RETURNS text[]
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  select coalesce(array_agg(person), '{}') from talk_person where officer_id = scope_officer()
$$;

CREATE FUNCTION public.scope_units() RETURNS bigint[]
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
  select coalesce(array_agg(id), '{}') from unit
  where path like nullif(current_setting('xunlu.scope', true), '') || '%'
$$;

CREATE FUNCTION public.sort_position_chunk() RETURNS text
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
declare
  chunk record;
begin
  select c.chunk_schema, c.chunk_name, n.relname as index_name into chunk
    from timescaledb_information.chunks c
    join pg_index i on i.indrelid = format('%I.%I', c.chunk_schema, c.chunk_name)::regclass and i.indisunique
    join pg_class n on n.oid = i.indexrelid
    where c.hypertable_schema = 'public' and c.hypertable_name = 'position' and not i.indisclustered
      and c.range_end < now() - interval '1 hour'
    order by c.range_end desc limit 1;
  if not found then
    return null;
  end if;
  execute format('cluster %I.%I using %I', chunk.chunk_schema, chunk.chunk_name, chunk.index_name);
  execute format('analyze %I.%I', chunk.chunk_schema, chunk.chunk_name);
  return chunk.chunk_name;
end $$;

CREATE TABLE public.account (
    id bigint NOT NULL,
    unit_id bigint NOT NULL,
    username text NOT NULL,
    display_name text NOT NULL,
    role text NOT NULL,
    officer_id bigint,
    password_hash text NOT NULL,
    must_change_password boolean DEFAULT true NOT NULL,
    failed_logins integer DEFAULT 0 NOT NULL,
    locked_until timestamp with time zone,
    disabled_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT account_role_check CHECK ((role = ANY (ARRAY['administrator'::text, 'supervisor'::text, 'dispatcher'::text, 'clerk'::text, 'evidence'::text, 'auditor'::text, 'officer'::text]))),
    CONSTRAINT account_username_check CHECK (((username = lower(username)) AND ((length(username) >= 2) AND (length(username) <= 64))))
);

ALTER TABLE public.account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.alarm (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    officer_id bigint,
    kind text NOT NULL,
    severity smallint NOT NULL,
    sid bigint NOT NULL,
    seq bigint NOT NULL,
    raised_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    late boolean DEFAULT false NOT NULL,
    lat double precision,
    lon double precision,
    fix_at timestamp with time zone,
    cancelled_at timestamp with time zone,
    state text DEFAULT 'new'::text NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by bigint,
    closed_at timestamp with time zone,
    closed_by bigint,
    note text DEFAULT ''::text NOT NULL,
    zone_id bigint,
    withdrawn_at timestamp with time zone,
    CONSTRAINT alarm_severity_check CHECK (((severity >= 1) AND (severity <= 3))),
    CONSTRAINT alarm_state_check CHECK ((state = ANY (ARRAY['new'::text, 'acknowledged'::text, 'resolved'::text, 'false'::text])))
);

ALTER TABLE public.alarm ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alarm_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    account_id bigint,
    username text NOT NULL,
    unit_id bigint NOT NULL,
    action text NOT NULL,
    target text DEFAULT ''::text NOT NULL,
    detail jsonb DEFAULT '{}'::jsonb NOT NULL,
    address inet
);

ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.availability (
    device_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    sid bigint NOT NULL,
    availability text NOT NULL,
    why text
);

CREATE TABLE public.binding (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    officer_id bigint NOT NULL,
    bound_at timestamp with time zone DEFAULT now() NOT NULL,
    bound_by bigint,
    released_at timestamp with time zone,
    released_by bigint,
    phone boolean DEFAULT false NOT NULL,
    CONSTRAINT binding_check CHECK (((released_at IS NULL) OR (released_at >= bound_at)))
);

ALTER TABLE public.binding ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.binding_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.burst (
    id text NOT NULL,
    gid text NOT NULL,
    unit_id bigint NOT NULL,
    talker text NOT NULL,
    device_id bigint,
    officer_id bigint,
    grant_number bigint NOT NULL,
    urgency smallint NOT NULL,
    file text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    lost bigint NOT NULL,
    complete boolean NOT NULL,
    lat double precision,
    lon double precision,
    fix_at timestamp with time zone,
    registered_at timestamp with time zone DEFAULT now() NOT NULL,
    hold text,
    CONSTRAINT burst_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT burst_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);

CREATE TABLE public.command (
    rid text NOT NULL,
    device_id bigint NOT NULL,
    name text NOT NULL,
    args jsonb NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    code integer,
    why text,
    progress real,
    result jsonb,
    created_by bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    delivered_at timestamp with time zone,
    accepted_at timestamp with time zone,
    running_at timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT command_rid_check CHECK ((rid ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT command_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'delivered'::text, 'accepted'::text, 'rejected'::text, 'running'::text, 'done'::text, 'failed'::text, 'expired'::text])))
);

CREATE TABLE public.dead_letter (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL,
    message text NOT NULL,
    payload bytea NOT NULL
);

ALTER TABLE public.dead_letter ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.dead_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.device (
    id bigint NOT NULL,
    did text NOT NULL,
    tenant text NOT NULL,
    unit_id bigint NOT NULL,
    kind text NOT NULL,
    serial text NOT NULL,
    vendor text NOT NULL,
    model text NOT NULL,
    inspection_report text,
    status text DEFAULT 'pending'::text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    approved_at timestamp with time zone,
    claim_hash bytea,
    account_id bigint,
    CONSTRAINT device_did_check CHECK ((did ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT device_kind_check CHECK ((kind = ANY (ARRAY['recorder'::text, 'station'::text, 'tracker'::text, 'phone'::text]))),
    CONSTRAINT device_phone_check CHECK (((kind = 'phone'::text) = (account_id IS NOT NULL))),
    CONSTRAINT device_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'disabled'::text])))
);

ALTER TABLE public.device ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.device_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.device_state (
    device_id bigint NOT NULL,
    availability text DEFAULT 'offline'::text NOT NULL,
    availability_sid bigint DEFAULT 0 NOT NULL,
    availability_at timestamp with time zone,
    why text,
    birth_sid bigint DEFAULT 0 NOT NULL,
    birth jsonb,
    fix_at timestamp with time zone,
    lat double precision,
    lon double precision,
    accuracy_m real,
    speed_mps real,
    course_deg real,
    sat smallint,
    bds smallint,
    rec text,
    telemetry jsonb,
    telemetry_at timestamp with time zone,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT device_state_availability_check CHECK ((availability = ANY (ARRAY['online'::text, 'offline'::text, 'sleep'::text])))
)
WITH (fillfactor='50');

CREATE TABLE public.officer (
    id bigint NOT NULL,
    tenant text NOT NULL,
    unit_id bigint NOT NULL,
    number text NOT NULL,
    name text NOT NULL,
    pinyin text DEFAULT ''::text NOT NULL,
    active boolean DEFAULT true NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT officer_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64))),
    CONSTRAINT officer_number_check CHECK (((length(number) >= 1) AND (length(number) <= 32)))
);

CREATE TABLE public.unit (
    id bigint NOT NULL,
    tenant text NOT NULL,
    parent_id bigint,
    kind text NOT NULL,
    name text NOT NULL,
    pinyin text DEFAULT ''::text NOT NULL,
    path text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT unit_kind_check CHECK ((kind = ANY (ARRAY['district'::text, 'squad'::text, 'team'::text]))),
    CONSTRAINT unit_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100))),
    CONSTRAINT unit_tenant_check CHECK ((tenant ~ '^[A-Za-z0-9_-]{1,64}$'::text))
);

CREATE VIEW public.device_overview WITH (security_invoker='true') AS
 SELECT d.id,
    d.did,
    d.kind,
    d.serial,
    d.vendor,
    d.model,
    d.status,
    d.unit_id,
    d.inspection_report,
    jsonb_build_object('id', u.id, 'name', u.name) AS unit,
        CASE
            WHEN (o.id IS NOT NULL) THEN jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name)
            ELSE NULL::jsonb
        END AS officer,
    o.number AS officer_number,
    o.name AS officer_name,
    o.pinyin AS officer_pinyin,
    jsonb_build_object('availability', COALESCE(s.availability, 'offline'::text), 'sid', COALESCE(s.availability_sid, (0)::bigint), 'at', s.availability_at, 'why', s.why) AS state,
        CASE
            WHEN (s.fix_at IS NOT NULL) THEN jsonb_build_object('lat', s.lat, 'lon', s.lon, 'fix_time', s.fix_at, 'age_s', round(EXTRACT(epoch FROM (now() - s.fix_at)), 1), 'accuracy_m', s.accuracy_m, 'speed_mps', s.speed_mps, 'course_deg', s.course_deg, 'sat', s.sat, 'bds', s.bds)
            ELSE NULL::jsonb
        END AS "position",
        CASE
            WHEN (s.telemetry IS NOT NULL) THEN (s.telemetry || jsonb_build_object('at', s.telemetry_at))
            ELSE NULL::jsonb
        END AS telemetry,
    s.rec AS recording,
    s.birth
   FROM ((((public.device d
     JOIN public.unit u ON ((u.id = d.unit_id)))
     LEFT JOIN public.binding b ON (((b.device_id = d.id) AND (b.released_at IS NULL))))
     LEFT JOIN public.officer o ON ((o.id = b.officer_id)))
     LEFT JOIN public.device_state s ON ((s.device_id = d.id)));

CREATE TABLE public.device_session (
    device_id bigint NOT NULL,
    sid bigint NOT NULL,
    held int8multirange DEFAULT '{}'::int8multirange NOT NULL,
    given_up int8multirange DEFAULT '{}'::int8multirange NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE public.device_shadow (
    device_id bigint NOT NULL,
    desired jsonb,
    desired_version integer DEFAULT 0 NOT NULL,
    desired_at timestamp with time zone,
    reported jsonb,
    reported_at timestamp with time zone
);

CREATE TABLE public.erasure (
    subject text NOT NULL,
    id text NOT NULL,
    device_id bigint,
    officer_id bigint,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    sha256 text,
    erased_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.event (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    sid bigint NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    lat double precision,
    lon double precision,
    payload jsonb NOT NULL,
    late boolean NOT NULL
);

ALTER TABLE public.event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.expected_device (
    serial text NOT NULL,
    vendor text NOT NULL,
    model text NOT NULL,
    unit_id bigint NOT NULL,
    officer_id bigint,
    inspection_report text,
    imported_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.file_to_erase (
    file text NOT NULL,
    noted_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.floor_entry (
    id text NOT NULL,
    gid text NOT NULL,
    unit_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    what text NOT NULL,
    who text NOT NULL,
    by_whom text,
    grant_number bigint,
    urgency smallint NOT NULL,
    priority smallint NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT floor_entry_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text))
);

CREATE TABLE public.incident (
    id bigint NOT NULL,
    unit_id bigint NOT NULL,
    title text NOT NULL,
    began_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    place jsonb,
    subjects text[] NOT NULL,
    alarm_id bigint,
    created_by bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    closed_at timestamp with time zone,
    released_at timestamp with time zone,
    CONSTRAINT incident_check CHECK (((ended_at > began_at) AND ((ended_at - began_at) <= '31 days'::interval))),
    CONSTRAINT incident_subjects_check CHECK (((cardinality(subjects) >= 1) AND (cardinality(subjects) <= 50))),
    CONSTRAINT incident_title_check CHECK (((length(title) >= 1) AND (length(title) <= 120)))
);

CREATE VIEW public.incident_reach AS
 SELECT i.id AS incident_id,
    (i.released_at IS NOT NULL) AS released,
    NULL::bigint AS device_id,
    who.officer_id,
    i.began_at AS since,
    i.ended_at AS until
   FROM ((public.incident i
     CROSS JOIN LATERAL unnest(i.subjects) k(k))
     CROSS JOIN LATERAL ( SELECT
                CASE
                    WHEN (k.k ~~ 'o%'::text) THEN (substr(k.k, 2))::bigint
                    ELSE NULL::bigint
                END AS officer_id) who)
  WHERE (who.officer_id IS NOT NULL)
UNION ALL
 SELECT i.id AS incident_id,
    (i.released_at IS NOT NULL) AS released,
    b.device_id,
    NULL::bigint AS officer_id,
    GREATEST(i.began_at, b.bound_at) AS since,
    LEAST(i.ended_at, b.released_at) AS until
   FROM ((public.incident i
     CROSS JOIN LATERAL unnest(i.subjects) k(k))
     JOIN public.binding b ON ((b.officer_id =
        CASE
            WHEN (k.k ~~ 'o%'::text) THEN (substr(k.k, 2))::bigint
            ELSE NULL::bigint
        END)))
  WHERE ((b.bound_at < i.ended_at) AND COALESCE((b.released_at > i.began_at), true))
UNION ALL
 SELECT i.id AS incident_id,
    (i.released_at IS NOT NULL) AS released,
    d.id AS device_id,
    NULL::bigint AS officer_id,
    i.began_at AS since,
    i.ended_at AS until
   FROM ((public.incident i
     CROSS JOIN LATERAL unnest(i.subjects) k(k))
     JOIN public.device d ON ((d.did = substr(k.k, 2))))
  WHERE (k.k ~~ 'd%'::text);

CREATE TABLE public.message (
    id text NOT NULL,
    unit_id bigint NOT NULL,
    target text NOT NULL,
    text text,
    speak boolean NOT NULL,
    account_id bigint NOT NULL,
    username text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    below boolean DEFAULT false NOT NULL,
    CONSTRAINT message_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT message_text_check CHECK (((length(text) >= 1) AND (length(text) <= 500)))
);

CREATE TABLE public.message_target (
    message_id text NOT NULL,
    person text NOT NULL,
    rid text,
    delivered_at timestamp with time zone,
    read_at timestamp with time zone,
    name text,
    attempts smallint DEFAULT 0 NOT NULL,
    why text
);

CREATE TABLE public.recording (
    id text NOT NULL,
    device_id bigint NOT NULL,
    officer_id bigint,
    order_id text,
    why text NOT NULL,
    file text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone NOT NULL,
    size_bytes bigint NOT NULL,
    sha256 text NOT NULL,
    video text,
    audio text,
    gaps jsonb DEFAULT '[]'::jsonb NOT NULL,
    complete boolean NOT NULL,
    registered_at timestamp with time zone DEFAULT now() NOT NULL,
    hold text,
    CONSTRAINT recording_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT recording_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT recording_why_check CHECK ((why = ANY (ARRAY['hand'::text, 'sos'::text, 'always'::text])))
);

CREATE TABLE public.viewing (
    id text NOT NULL,
    device_id bigint NOT NULL,
    account_id bigint,
    username text DEFAULT ''::text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    began_at timestamp with time zone,
    seen_at timestamp with time zone,
    ended_at timestamp with time zone,
    sent_bytes bigint DEFAULT 0 NOT NULL,
    why text,
    CONSTRAINT viewing_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text))
);

CREATE VIEW public.held AS
 WITH reach AS (
         SELECT incident_reach.incident_id,
            incident_reach.released,
            incident_reach.device_id,
            incident_reach.officer_id,
            incident_reach.since,
            incident_reach.until
           FROM public.incident_reach
          WHERE (NOT incident_reach.released)
        ), concerned AS NOT MATERIALIZED (
         SELECT h.incident_id,
            h.since,
            h.until,
            p.person
           FROM (reach h
             CROSS JOIN LATERAL ( SELECT d.did AS person
                   FROM public.device d
                  WHERE (d.id = h.device_id)
                UNION ALL
                 SELECT ('u-'::text || d.account_id)
                   FROM public.device d
                  WHERE (d.id = h.device_id)
                UNION ALL
                 SELECT ('u-'::text || a.id)
                   FROM public.account a
                  WHERE (a.officer_id = h.officer_id)) p)
        ), tuned AS NOT MATERIALIZED (
         SELECT c.incident_id,
            e.gid,
            GREATEST(e.at, c.since) AS since,
            LEAST(e.until, c.until) AS until
           FROM (concerned c
             CROSS JOIN LATERAL ( SELECT floor_entry.gid,
                    floor_entry.what,
                    floor_entry.at,
                    lead(floor_entry.at) OVER (PARTITION BY floor_entry.gid ORDER BY floor_entry.at, floor_entry.id) AS until
                   FROM public.floor_entry
                  WHERE ((floor_entry.who = c.person) AND (floor_entry.what = ANY (ARRAY['joined'::text, 'listening_in'::text, 'parted'::text])) AND (floor_entry.at > (c.since - '1 day'::interval)) AND (floor_entry.at < c.until))) e)
          WHERE ((e.what <> 'parted'::text) AND COALESCE((e.until > c.since), true))
        ), spoken AS NOT MATERIALIZED (
         SELECT b.id,
            b.gid,
            b.grant_number,
            b.started_at,
            b.ended_at,
            h.incident_id
           FROM (reach h
             JOIN public.burst b ON (((b.device_id = h.device_id) AND (b.started_at > (h.since - '1 day'::interval)) AND (b.started_at < h.until) AND (b.ended_at > h.since))))
        UNION
         SELECT b.id,
            b.gid,
            b.grant_number,
            b.started_at,
            b.ended_at,
            h.incident_id
           FROM (reach h
             JOIN public.burst b ON (((b.device_id IS NULL) AND (b.officer_id = h.officer_id) AND (b.started_at > (h.since - '1 day'::interval)) AND (b.started_at < h.until) AND (b.ended_at > h.since))))
        UNION
         SELECT b.id,
            b.gid,
            b.grant_number,
            b.started_at,
            b.ended_at,
            t.incident_id
           FROM (tuned t
             JOIN public.burst b ON (((b.gid = t.gid) AND (b.started_at > (t.since - '1 day'::interval)) AND (b.started_at < t.until) AND (b.ended_at > t.since))))
        )
 SELECT 'recording'::text AS subject,
    r.id,
    h.incident_id
   FROM (reach h
     JOIN public.recording r ON (((r.device_id = h.device_id) AND (r.started_at > (h.since - '1 day'::interval)) AND (r.started_at < h.until) AND (r.ended_at > h.since))))
UNION
 SELECT 'burst'::text AS subject,
    spoken.id,
    spoken.incident_id
   FROM spoken
UNION
 SELECT 'viewing'::text AS subject,
    v.id,
    h.incident_id
   FROM (reach h
     JOIN public.viewing v ON (((v.device_id = h.device_id) AND (v.asked_at > (h.since - '1 day'::interval)) AND (v.asked_at < h.until) AND (COALESCE(v.ended_at, v.seen_at, v.asked_at) >= h.since))))
UNION
 SELECT 'message'::text AS subject,
    m.id,
    c.incident_id
   FROM (concerned c
     JOIN public.message m ON (((m.created_at >= c.since) AND (m.created_at < c.until) AND ((('u-'::text || m.account_id) = c.person) OR (EXISTS ( SELECT
           FROM public.message_target t
          WHERE ((t.message_id = m.id) AND (t.person = c.person))))))))
UNION
 SELECT 'floor_entry'::text AS subject,
    e.id,
    c.incident_id
   FROM (concerned c
     JOIN public.floor_entry e ON (((e.who = c.person) AND (e.at < c.until) AND ((e.at >= c.since) OR ((e.at > (c.since - '1 day'::interval)) AND (e.what = ANY (ARRAY['joined'::text, 'listening_in'::text, 'parted'::text])))))))
UNION
 SELECT 'floor_entry'::text AS subject,
    e.id,
    s.incident_id
   FROM (spoken s
     JOIN public.floor_entry e ON (((e.gid = s.gid) AND ((e.grant_number = s.grant_number) OR ((e.at >= (s.started_at - '00:00:05'::interval)) AND (e.at <= (s.ended_at + '00:00:05'::interval)))))));

CREATE TABLE public.incident_export (
    id text NOT NULL,
    incident_id bigint NOT NULL,
    scope text NOT NULL,
    kinds text[] NOT NULL,
    language text NOT NULL,
    asked_at timestamp with time zone DEFAULT now() NOT NULL,
    account_id bigint,
    author text NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    worker text,
    heard_at timestamp with time zone,
    attempts integer DEFAULT 0 NOT NULL,
    done_bytes bigint DEFAULT 0 NOT NULL,
    total_bytes bigint DEFAULT 0 NOT NULL,
    size_bytes bigint,
    sha256 text,
    why text,
    finished_at timestamp with time zone,
    CONSTRAINT incident_export_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT incident_export_language_check CHECK ((language = ANY (ARRAY['zh-CN'::text, 'en'::text]))),
    CONSTRAINT incident_export_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT incident_export_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'erased'::text])))
);

ALTER TABLE public.incident ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.incident_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.incident_mark (
    id bigint NOT NULL,
    incident_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    subject text,
    text text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    account_id bigint,
    author text NOT NULL,
    struck_at timestamp with time zone,
    struck_by text,
    CONSTRAINT incident_mark_text_check CHECK (((length(text) >= 1) AND (length(text) <= 500)))
);

ALTER TABLE public.incident_mark ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.incident_mark_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.incident_note (
    id bigint NOT NULL,
    incident_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    account_id bigint,
    author text NOT NULL,
    kind text NOT NULL,
    text text NOT NULL,
    changed jsonb DEFAULT '{}'::jsonb NOT NULL,
    CONSTRAINT incident_note_kind_check CHECK ((kind = ANY (ARRAY['note'::text, 'change'::text, 'close'::text, 'reopen'::text]))),
    CONSTRAINT incident_note_text_check CHECK ((length(text) <= 4000))
);

ALTER TABLE public.incident_note ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.incident_note_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.incident_share (
    id bigint NOT NULL,
    incident_id bigint NOT NULL,
    secret_hash bytea NOT NULL,
    label text NOT NULL,
    scope text NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    account_id bigint,
    author text NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoked_by text,
    CONSTRAINT incident_share_check CHECK (((expires_at > made_at) AND (expires_at <= (made_at + '30 days'::interval)))),
    CONSTRAINT incident_share_label_check CHECK (((length(label) >= 1) AND (length(label) <= 120))),
    CONSTRAINT incident_share_secret_hash_check CHECK ((octet_length(secret_hash) = 32))
);

ALTER TABLE public.incident_share ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.incident_share_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.incident_share_opening (
    id bigint NOT NULL,
    share_id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    address inet,
    what text NOT NULL,
    CONSTRAINT incident_share_opening_what_check CHECK ((length(what) <= 100))
);

ALTER TABLE public.incident_share_opening ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.incident_share_opening_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.login (
    token_hash bytea NOT NULL,
    account_id bigint NOT NULL,
    kind text NOT NULL,
    csrf_token text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    address inet,
    CONSTRAINT login_kind_check CHECK ((kind = ANY (ARRAY['cookie'::text, 'bearer'::text])))
);

CREATE TABLE public.membership (
    officer_id bigint NOT NULL,
    unit_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone,
    CONSTRAINT membership_check CHECK ((until >= since))
);

CREATE TABLE public.migration (
    number integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE public.officer ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.officer_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public."position" (
    device_id bigint NOT NULL,
    fix_at timestamp with time zone NOT NULL,
    sid bigint NOT NULL,
    seq bigint NOT NULL,
    received_at timestamp with time zone NOT NULL,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    alt_m real,
    speed_mps real,
    course_deg real,
    accuracy_m real,
    hdop real,
    battery_percent real,
    fix smallint,
    sat smallint,
    bds smallint,
    late boolean NOT NULL,
    rec text
);

CREATE TABLE public.position_hour (
    device_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    fixes integer NOT NULL,
    late_fixes integer NOT NULL,
    first_fix_at timestamp with time zone NOT NULL,
    last_fix_at timestamp with time zone NOT NULL,
    distance_m double precision NOT NULL,
    moving_s double precision NOT NULL,
    speed_max_mps real,
    lat_min double precision NOT NULL,
    lat_max double precision NOT NULL,
    lon_min double precision NOT NULL,
    lon_max double precision NOT NULL,
    computed_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.position_hour_due (
    device_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    mark bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.recording_order (
    id text NOT NULL,
    device_id bigint NOT NULL,
    why text NOT NULL,
    account_id bigint,
    username text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT recording_order_id_check CHECK ((id ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT recording_order_why_check CHECK ((why = ANY (ARRAY['hand'::text, 'sos'::text, 'always'::text])))
);

CREATE TABLE public.retention_rule (
    subject text NOT NULL,
    keep_days integer NOT NULL,
    enabled boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT retention_rule_keep_days_check CHECK (((keep_days >= 1) AND (keep_days <= 36500))),
    CONSTRAINT retention_rule_subject_check CHECK ((subject = ANY (ARRAY['position'::text, 'telemetry'::text, 'event'::text, 'availability'::text, 'dead_letter'::text, 'audit'::text, 'recording'::text, 'burst'::text, 'viewing'::text, 'voice_note'::text, 'floor_entry'::text, 'message'::text])))
);

ALTER TABLE public.retention_run ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.retention_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.server_state (
    id bigint NOT NULL,
    host text NOT NULL,
    at timestamp with time zone NOT NULL,
    online boolean NOT NULL
);

ALTER TABLE public.server_state ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.server_state_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.server_watch (
    id bigint NOT NULL,
    since timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT server_watch_check CHECK ((until >= since))
);

ALTER TABLE public.server_watch ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.server_watch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.shift (
    id bigint NOT NULL,
    officer_id bigint NOT NULL,
    begins_at timestamp with time zone NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    zone_id bigint,
    note text DEFAULT ''::text NOT NULL,
    created_by bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawn_by bigint,
    CONSTRAINT shift_check CHECK (((ends_at > begins_at) AND ((ends_at - begins_at) <= '24:00:00'::interval))),
    CONSTRAINT shift_note_check CHECK ((length(note) <= 200))
);

ALTER TABLE public.shift ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.shift_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.talk_group (
    gid text NOT NULL,
    unit_id bigint NOT NULL,
    kind text NOT NULL,
    name text,
    duplex boolean DEFAULT false NOT NULL,
    alarm_id bigint,
    created_by bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone,
    closed_at timestamp with time zone,
    silence_s integer,
    CONSTRAINT talk_group_check CHECK (((kind = 'squad'::text) = (name IS NULL))),
    CONSTRAINT talk_group_check1 CHECK (((kind = 'private'::text) OR (NOT duplex))),
    CONSTRAINT talk_group_gid_check CHECK ((gid ~ '^[A-Za-z0-9_-]{1,64}$'::text)),
    CONSTRAINT talk_group_kind_check CHECK ((kind = ANY (ARRAY['squad'::text, 'standing'::text, 'temporary'::text, 'private'::text, 'broadcast'::text, 'emergency'::text]))),
    CONSTRAINT talk_group_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64))),
    CONSTRAINT talk_group_silence_s_check CHECK ((silence_s > 0))
);

CREATE TABLE public.talk_group_member (
    id bigint NOT NULL,
    gid text NOT NULL,
    person text,
    unit_id bigint,
    listener boolean DEFAULT false NOT NULL,
    CONSTRAINT talk_group_member_check CHECK ((num_nonnulls(person, unit_id) = 1)),
    CONSTRAINT talk_group_member_person_check CHECK ((person ~ '^[A-Za-z0-9_-]{1,64}$'::text))
);

ALTER TABLE public.talk_group_member ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.talk_group_member_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE VIEW public.talk_person WITH (security_invoker='true') AS
 SELECT d.did AS person,
    d.did,
    "left"(COALESCE(o.name, d.did), 64) AS name,
    o.number,
    COALESCE(o.unit_id, d.unit_id) AS unit_id,
    o.id AS officer_id,
    d.id AS device_id,
    NULL::bigint AS account_id
   FROM ((public.device d
     LEFT JOIN public.binding b ON (((b.device_id = d.id) AND (b.released_at IS NULL))))
     LEFT JOIN public.officer o ON (((o.id = b.officer_id) AND o.active)))
  WHERE ((d.status = 'approved'::text) AND (d.kind = 'recorder'::text))
UNION ALL
 SELECT ('u-'::text || a.id) AS person,
    COALESCE(p.did, d.did) AS did,
    "left"(a.display_name, 64) AS name,
    o.number,
    COALESCE(o.unit_id, a.unit_id) AS unit_id,
    o.id AS officer_id,
    COALESCE(p.id, d.id) AS device_id,
    a.id AS account_id
   FROM ((((public.account a
     LEFT JOIN public.officer o ON (((o.id = a.officer_id) AND o.active)))
     LEFT JOIN public.device p ON (((p.account_id = a.id) AND (p.status = 'approved'::text))))
     LEFT JOIN public.binding b ON (((b.officer_id = o.id) AND (b.released_at IS NULL) AND (NOT b.phone))))
     LEFT JOIN public.device d ON (((d.id = b.device_id) AND (d.status = 'approved'::text) AND (d.kind = 'recorder'::text))))
  WHERE ((a.disabled_at IS NULL) AND (a.role = ANY (ARRAY['administrator'::text, 'supervisor'::text, 'dispatcher'::text, 'officer'::text])));

CREATE VIEW public.talk_member WITH (security_invoker='true') AS
 SELECT gid,
    person,
    name,
    number,
    did,
    device_id,
    account_id,
    bool_and(listener) AS listener
   FROM ( SELECT g.gid,
            p.person,
            p.did,
            p.name,
            p.number,
            p.unit_id,
            p.officer_id,
            p.device_id,
            p.account_id,
            false AS listener
           FROM (public.talk_group g
             JOIN public.talk_person p ON (((p.unit_id = g.unit_id) AND (p.officer_id IS NOT NULL))))
          WHERE (g.kind = 'squad'::text)
        UNION ALL
         SELECT m.gid,
            p.person,
            p.did,
            p.name,
            p.number,
            p.unit_id,
            p.officer_id,
            p.device_id,
            p.account_id,
            m.listener
           FROM (public.talk_group_member m
             JOIN public.talk_person p ON ((p.person = m.person)))
        UNION ALL
         SELECT m.gid,
            p.person,
            p.did,
            p.name,
            p.number,
            p.unit_id,
            p.officer_id,
            p.device_id,
            p.account_id,
            m.listener
           FROM (((public.talk_group_member m
             JOIN public.unit top ON ((top.id = m.unit_id)))
             JOIN public.unit below ON ((below.path ~~ (top.path || '%'::text))))
             JOIN public.talk_person p ON ((p.unit_id = below.id)))
          WHERE (p.officer_id IS NOT NULL)) named
  GROUP BY gid, person, name, number, did, device_id, account_id;

CREATE TABLE public.telemetry (
    device_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone NOT NULL,
    sid bigint NOT NULL,
    payload jsonb NOT NULL
);

CREATE TABLE public.track_piece (
    device_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    level smallint NOT NULL,
    points bytea NOT NULL,
    pieces jsonb NOT NULL,
    length_m double precision NOT NULL,
    moving_s double precision NOT NULL,
    stops jsonb NOT NULL
);

ALTER TABLE public.unit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.unit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.voice_note (
    message_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    media_type text NOT NULL,
    duration_s real NOT NULL,
    size_bytes integer NOT NULL,
    sha256 text NOT NULL,
    sound bytea NOT NULL,
    hold text,
    CONSTRAINT voice_note_duration_s_check CHECK ((duration_s > (0)::double precision)),
    CONSTRAINT voice_note_media_type_check CHECK ((media_type = ANY (ARRAY['audio/webm'::text, 'audio/ogg'::text]))),
    CONSTRAINT voice_note_sha256_check CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);
ALTER TABLE ONLY public.voice_note ALTER COLUMN sound SET STORAGE EXTERNAL;

CREATE TABLE public.zone (
    id bigint NOT NULL,
    unit_id bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    pinyin text DEFAULT ''::text NOT NULL,
    created_by bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT zone_kind_check CHECK ((kind = ANY (ARRAY['responsibility'::text, 'post'::text, 'forbidden'::text, 'watch'::text, 'patrol'::text]))),
    CONSTRAINT zone_name_check CHECK (((length(name) >= 1) AND (length(name) <= 64)))
);

CREATE TABLE public.zone_audience (
    id bigint NOT NULL,
    zone_id bigint NOT NULL,
    unit_id bigint,
    officer_id bigint,
    since timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    until timestamp with time zone,
    CONSTRAINT zone_audience_check CHECK ((num_nonnulls(unit_id, officer_id) = 1))
);

ALTER TABLE public.zone_audience ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.zone_audience_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.zone_due (
    device_id bigint NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone DEFAULT now() NOT NULL,
    state jsonb,
    noted_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE public.zone_event (
    id bigint NOT NULL,
    device_id bigint NOT NULL,
    officer_id bigint,
    zone_id bigint NOT NULL,
    version_id bigint NOT NULL,
    kind text NOT NULL,
    fix_at timestamp with time zone NOT NULL,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    late boolean NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    withdrawn_at timestamp with time zone,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT zone_event_kind_check CHECK ((kind = ANY (ARRAY['enter'::text, 'leave'::text, 'dwell'::text])))
);

ALTER TABLE public.zone_event ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.zone_event_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

ALTER TABLE public.zone ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.zone_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.zone_version (
    id bigint NOT NULL,
    zone_id bigint NOT NULL,
    shape jsonb NOT NULL,
    dwell_s_max integer,
    window_from time without time zone,
    window_to time without time zone,
    weekdays smallint[],
    valid_from timestamp with time zone DEFAULT now() NOT NULL,
    valid_to timestamp with time zone,
    created_by bigint,
    severity smallint,
    CONSTRAINT zone_version_check CHECK (((valid_to IS NULL) OR (valid_to >= valid_from))),
    CONSTRAINT zone_version_check1 CHECK (((window_from IS NULL) = (window_to IS NULL))),
    CONSTRAINT zone_version_dwell_s_max_check CHECK ((dwell_s_max > 0)),
    CONSTRAINT zone_version_severity_check CHECK (((severity >= 0) AND (severity <= 2))),
    CONSTRAINT zone_version_weekdays_check CHECK ((weekdays <@ ARRAY[(1)::smallint, (2)::smallint, (3)::smallint, (4)::smallint, (5)::smallint, (6)::smallint, (7)::smallint]))
);

ALTER TABLE public.zone_version ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.zone_version_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.zone_watch (
    device_id bigint NOT NULL,
    fix_at timestamp with time zone NOT NULL,
    state jsonb NOT NULL
)
WITH (fillfactor='50');

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_username_key UNIQUE (username);

ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.burst
    ADD CONSTRAINT burst_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.command
    ADD CONSTRAINT command_pkey PRIMARY KEY (rid);

ALTER TABLE ONLY public.dead_letter
    ADD CONSTRAINT dead_letter_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_did_key UNIQUE (did);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.device_session
    ADD CONSTRAINT device_session_pkey PRIMARY KEY (device_id, sid);

ALTER TABLE ONLY public.device_shadow
    ADD CONSTRAINT device_shadow_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY public.device_state
    ADD CONSTRAINT device_state_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_vendor_serial_key UNIQUE (vendor, serial);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_pkey PRIMARY KEY (subject, id);

ALTER TABLE ONLY public.expected_device
    ADD CONSTRAINT expected_device_pkey PRIMARY KEY (vendor, serial);

ALTER TABLE ONLY public.file_to_erase
    ADD CONSTRAINT file_to_erase_pkey PRIMARY KEY (file);

ALTER TABLE ONLY public.floor_entry
    ADD CONSTRAINT floor_entry_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.incident_export
    ADD CONSTRAINT incident_export_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.incident_mark
    ADD CONSTRAINT incident_mark_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.incident_note
    ADD CONSTRAINT incident_note_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_pkey PRIMARY KEY (id);

ALTER TABLE public.incident
    ADD CONSTRAINT incident_released CHECK (((released_at IS NULL) OR (closed_at IS NOT NULL))) NOT VALID;

ALTER TABLE ONLY public.incident_share_opening
    ADD CONSTRAINT incident_share_opening_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.incident_share
    ADD CONSTRAINT incident_share_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.incident_share
    ADD CONSTRAINT incident_share_secret_hash_key UNIQUE (secret_hash);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT login_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT membership_pkey PRIMARY KEY (officer_id, since);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.message_target
    ADD CONSTRAINT message_target_pkey PRIMARY KEY (message_id, person);

ALTER TABLE ONLY public.migration
    ADD CONSTRAINT migration_pkey PRIMARY KEY (number);

ALTER TABLE ONLY public.officer
    ADD CONSTRAINT officer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.officer
    ADD CONSTRAINT officer_tenant_number_key UNIQUE (tenant, number);

ALTER TABLE ONLY public.position_hour_due
    ADD CONSTRAINT position_hour_due_pkey PRIMARY KEY (device_id, hour);

ALTER TABLE ONLY public.position_hour
    ADD CONSTRAINT position_hour_pkey PRIMARY KEY (device_id, hour);

ALTER TABLE ONLY public.recording_order
    ADD CONSTRAINT recording_order_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.retention_rule
    ADD CONSTRAINT retention_rule_pkey PRIMARY KEY (subject);

ALTER TABLE ONLY public.retention_run
    ADD CONSTRAINT retention_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.server_state
    ADD CONSTRAINT server_state_host_at_online_key UNIQUE (host, at, online);

ALTER TABLE ONLY public.server_state
    ADD CONSTRAINT server_state_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.server_watch
    ADD CONSTRAINT server_watch_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_apart EXCLUDE USING gist (int8range(officer_id, officer_id, '[]'::text) WITH &&, tstzrange(begins_at, ends_at) WITH &&) WHERE ((withdrawn_at IS NULL));

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.talk_group_member
    ADD CONSTRAINT talk_group_member_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.talk_group
    ADD CONSTRAINT talk_group_pkey PRIMARY KEY (gid);

ALTER TABLE ONLY public.track_piece
    ADD CONSTRAINT track_piece_pkey PRIMARY KEY (device_id, hour, level);

ALTER TABLE ONLY public.unit
    ADD CONSTRAINT unit_parent_id_name_key UNIQUE (parent_id, name);

ALTER TABLE ONLY public.unit
    ADD CONSTRAINT unit_path_key UNIQUE (path);

ALTER TABLE ONLY public.unit
    ADD CONSTRAINT unit_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.viewing
    ADD CONSTRAINT viewing_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.voice_note
    ADD CONSTRAINT voice_note_pkey PRIMARY KEY (message_id);

ALTER TABLE ONLY public.zone_audience
    ADD CONSTRAINT zone_audience_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.zone_due
    ADD CONSTRAINT zone_due_pkey PRIMARY KEY (device_id);

ALTER TABLE ONLY public.zone_event
    ADD CONSTRAINT zone_event_device_id_version_id_kind_fix_at_key UNIQUE (device_id, version_id, kind, fix_at);

ALTER TABLE ONLY public.zone_event
    ADD CONSTRAINT zone_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.zone
    ADD CONSTRAINT zone_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.zone_version
    ADD CONSTRAINT zone_version_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.zone_watch
    ADD CONSTRAINT zone_watch_pkey PRIMARY KEY (device_id);

CREATE INDEX alarm_device ON public.alarm USING btree (device_id, raised_at DESC);

CREATE UNIQUE INDEX alarm_identity ON public.alarm USING btree (device_id, sid, seq, kind, zone_id) NULLS NOT DISTINCT;

CREATE INDEX alarm_officer ON public.alarm USING btree (officer_id, raised_at DESC);

CREATE INDEX alarm_open ON public.alarm USING btree (raised_at DESC) WHERE (state = ANY (ARRAY['new'::text, 'acknowledged'::text]));

CREATE INDEX alarm_zone ON public.alarm USING btree (zone_id, fix_at) WHERE (zone_id IS NOT NULL);

CREATE INDEX audit_at ON public.audit USING btree (at DESC, id DESC);

CREATE INDEX audit_target ON public.audit USING btree (target, at DESC);

CREATE UNIQUE INDEX availability_identity ON public.availability USING btree (device_id, at, sid, availability);

CREATE INDEX binding_device ON public.binding USING btree (device_id, bound_at DESC);

CREATE UNIQUE INDEX binding_device_now ON public.binding USING btree (device_id) WHERE (released_at IS NULL);

CREATE INDEX binding_officer ON public.binding USING btree (officer_id, bound_at DESC);

CREATE UNIQUE INDEX binding_officer_now ON public.binding USING btree (officer_id, phone) WHERE (released_at IS NULL);

CREATE INDEX burst_device ON public.burst USING btree (device_id, started_at DESC);

CREATE INDEX burst_group ON public.burst USING btree (gid, started_at DESC);

CREATE INDEX burst_started ON public.burst USING btree (started_at DESC, id DESC);

CREATE INDEX command_device ON public.command USING btree (device_id, created_at DESC);

CREATE INDEX command_open ON public.command USING btree (expires_at) WHERE (state = ANY (ARRAY['queued'::text, 'delivered'::text, 'accepted'::text, 'running'::text]));

CREATE INDEX dead_letter_at ON public.dead_letter USING btree (at);

CREATE UNIQUE INDEX device_account ON public.device USING btree (account_id);

CREATE INDEX device_unit ON public.device USING btree (unit_id);

CREATE INDEX erasure_device ON public.erasure USING btree (device_id, since);

CREATE INDEX event_id ON public.event USING btree (id);

CREATE UNIQUE INDEX event_identity ON public.event USING btree (device_id, at, sid, seq, type);

CREATE INDEX floor_entry_group ON public.floor_entry USING btree (gid, at);

CREATE INDEX floor_entry_who ON public.floor_entry USING btree (who, at);

CREATE INDEX incident_alarm ON public.incident USING btree (alarm_id);

CREATE INDEX incident_export_incident ON public.incident_export USING btree (incident_id, asked_at DESC);

CREATE INDEX incident_export_waiting ON public.incident_export USING btree (asked_at) WHERE (state = ANY (ARRAY['queued'::text, 'running'::text]));

CREATE INDEX incident_mark_incident ON public.incident_mark USING btree (incident_id, at);

CREATE INDEX incident_note_incident ON public.incident_note USING btree (incident_id, id);

CREATE INDEX incident_share_incident ON public.incident_share USING btree (incident_id, id);

CREATE INDEX incident_share_opening_share ON public.incident_share_opening USING btree (share_id, at DESC);

CREATE INDEX incident_unit ON public.incident USING btree (unit_id, id DESC);

CREATE INDEX login_account ON public.login USING btree (account_id);

CREATE UNIQUE INDEX membership_now ON public.membership USING btree (officer_id) WHERE (until IS NULL);

CREATE INDEX membership_unit ON public.membership USING btree (unit_id);

CREATE INDEX message_created ON public.message USING btree (created_at DESC, id DESC);

CREATE INDEX message_target_person ON public.message_target USING btree (person, message_id);

CREATE INDEX message_target_rid ON public.message_target USING btree (rid) WHERE (rid IS NOT NULL);

CREATE INDEX officer_unit ON public.officer USING btree (unit_id);

CREATE INDEX position_hour_due_hour ON public.position_hour_due USING btree (hour);

CREATE UNIQUE INDEX position_identity ON public."position" USING btree (device_id, fix_at, sid, seq);

CREATE INDEX recording_device ON public.recording USING btree (device_id, started_at DESC);

CREATE UNIQUE INDEX recording_order_open ON public.recording_order USING btree (device_id, why) WHERE (ended_at IS NULL);

CREATE INDEX recording_started ON public.recording USING btree (started_at DESC, id DESC);

CREATE INDEX retention_run_subject ON public.retention_run USING btree (subject, at DESC);

CREATE INDEX server_watch_until ON public.server_watch USING btree (until);

CREATE INDEX shift_begins ON public.shift USING btree (begins_at, id);

CREATE INDEX shift_officer ON public.shift USING btree (officer_id, begins_at);

CREATE INDEX shift_zone ON public.shift USING btree (zone_id, begins_at);

CREATE INDEX talk_group_member_gid ON public.talk_group_member USING btree (gid);

CREATE INDEX talk_group_member_person ON public.talk_group_member USING btree (person);

CREATE INDEX talk_group_open ON public.talk_group USING btree (until) WHERE ((closed_at IS NULL) AND (kind <> 'squad'::text));

CREATE UNIQUE INDEX talk_group_squad ON public.talk_group USING btree (unit_id) WHERE (kind = 'squad'::text);

CREATE INDEX talk_group_unit ON public.talk_group USING btree (unit_id);

CREATE UNIQUE INDEX telemetry_identity ON public.telemetry USING btree (device_id, at, sid);

CREATE INDEX track_piece_hour ON public.track_piece USING btree (hour);

CREATE UNIQUE INDEX unit_tenant_root ON public.unit USING btree (tenant) WHERE (parent_id IS NULL);

CREATE INDEX viewing_asked ON public.viewing USING btree (asked_at DESC, id DESC);

CREATE INDEX viewing_device ON public.viewing USING btree (device_id, asked_at DESC);

CREATE INDEX viewing_open ON public.viewing USING btree (device_id) WHERE ((began_at IS NOT NULL) AND (ended_at IS NULL));

CREATE INDEX voice_note_created ON public.voice_note USING btree (created_at);

CREATE INDEX zone_audience_zone ON public.zone_audience USING btree (zone_id);

CREATE INDEX zone_event_at ON public.zone_event USING btree (fix_at DESC, id DESC);

CREATE INDEX zone_event_changed ON public.zone_event USING btree (changed_at);

CREATE INDEX zone_event_zone ON public.zone_event USING btree (zone_id, fix_at DESC);

CREATE UNIQUE INDEX zone_name ON public.zone USING btree (unit_id, name) WHERE (ended_at IS NULL);

CREATE INDEX zone_unit ON public.zone USING btree (unit_id);

CREATE UNIQUE INDEX zone_version_now ON public.zone_version USING btree (zone_id) WHERE (valid_to IS NULL);

CREATE INDEX zone_version_zone ON public.zone_version USING btree (zone_id, valid_from);

CREATE TRIGGER officer_came AFTER INSERT ON public.officer FOR EACH ROW EXECUTE FUNCTION public.note_membership();

CREATE TRIGGER officer_moved AFTER UPDATE OF unit_id ON public.officer FOR EACH ROW WHEN ((old.unit_id <> new.unit_id)) EXECUTE FUNCTION public.note_membership();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.availability FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.event FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public."position" FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER ts_insert_blocker BEFORE INSERT ON public.telemetry FOR EACH ROW EXECUTE FUNCTION _timescaledb_functions.insert_blocker();

CREATE TRIGGER unit_has_group AFTER INSERT ON public.unit FOR EACH ROW EXECUTE FUNCTION public.give_unit_its_group();

CREATE TRIGGER unit_placed BEFORE INSERT ON public.unit FOR EACH ROW EXECUTE FUNCTION public.place_unit();

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_acknowledged_by_fkey FOREIGN KEY (acknowledged_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_closed_by_fkey FOREIGN KEY (closed_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.alarm
    ADD CONSTRAINT alarm_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES public.zone(id);

ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_bound_by_fkey FOREIGN KEY (bound_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.binding
    ADD CONSTRAINT binding_released_by_fkey FOREIGN KEY (released_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.burst
    ADD CONSTRAINT burst_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.burst
    ADD CONSTRAINT burst_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.burst
    ADD CONSTRAINT burst_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.command
    ADD CONSTRAINT command_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.command
    ADD CONSTRAINT command_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.device_session
    ADD CONSTRAINT device_session_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.device_shadow
    ADD CONSTRAINT device_shadow_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.device_state
    ADD CONSTRAINT device_state_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.device
    ADD CONSTRAINT device_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.erasure
    ADD CONSTRAINT erasure_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.expected_device
    ADD CONSTRAINT expected_device_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.expected_device
    ADD CONSTRAINT expected_device_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.floor_entry
    ADD CONSTRAINT floor_entry_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_alarm_id_fkey FOREIGN KEY (alarm_id) REFERENCES public.alarm(id);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.incident_export
    ADD CONSTRAINT incident_export_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.incident_export
    ADD CONSTRAINT incident_export_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incident(id);

ALTER TABLE ONLY public.incident_mark
    ADD CONSTRAINT incident_mark_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.incident_mark
    ADD CONSTRAINT incident_mark_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incident(id);

ALTER TABLE ONLY public.incident_note
    ADD CONSTRAINT incident_note_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.incident_note
    ADD CONSTRAINT incident_note_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incident(id);

ALTER TABLE ONLY public.incident_share
    ADD CONSTRAINT incident_share_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.incident_share
    ADD CONSTRAINT incident_share_incident_id_fkey FOREIGN KEY (incident_id) REFERENCES public.incident(id);

ALTER TABLE ONLY public.incident_share_opening
    ADD CONSTRAINT incident_share_opening_share_id_fkey FOREIGN KEY (share_id) REFERENCES public.incident_share(id);

ALTER TABLE ONLY public.incident
    ADD CONSTRAINT incident_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.login
    ADD CONSTRAINT login_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT membership_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.membership
    ADD CONSTRAINT membership_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.message_target
    ADD CONSTRAINT message_target_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id) ON DELETE CASCADE;

ALTER TABLE ONLY public.message_target
    ADD CONSTRAINT message_target_rid_fkey FOREIGN KEY (rid) REFERENCES public.command(rid);

ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.officer
    ADD CONSTRAINT officer_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.recording_order
    ADD CONSTRAINT recording_order_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.recording_order
    ADD CONSTRAINT recording_order_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.recording
    ADD CONSTRAINT recording_order_id_fkey FOREIGN KEY (order_id) REFERENCES public.recording_order(id);

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_withdrawn_by_fkey FOREIGN KEY (withdrawn_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.shift
    ADD CONSTRAINT shift_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES public.zone(id);

ALTER TABLE ONLY public.talk_group
    ADD CONSTRAINT talk_group_alarm_id_fkey FOREIGN KEY (alarm_id) REFERENCES public.alarm(id);

ALTER TABLE ONLY public.talk_group
    ADD CONSTRAINT talk_group_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.talk_group_member
    ADD CONSTRAINT talk_group_member_gid_fkey FOREIGN KEY (gid) REFERENCES public.talk_group(gid);

ALTER TABLE ONLY public.talk_group_member
    ADD CONSTRAINT talk_group_member_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.talk_group
    ADD CONSTRAINT talk_group_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.track_piece
    ADD CONSTRAINT track_piece_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.unit
    ADD CONSTRAINT unit_parent_id_fkey FOREIGN KEY (parent_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.viewing
    ADD CONSTRAINT viewing_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id);

ALTER TABLE ONLY public.viewing
    ADD CONSTRAINT viewing_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.voice_note
    ADD CONSTRAINT voice_note_message_id_fkey FOREIGN KEY (message_id) REFERENCES public.message(id);

ALTER TABLE ONLY public.zone_audience
    ADD CONSTRAINT zone_audience_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.zone_audience
    ADD CONSTRAINT zone_audience_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.zone_audience
    ADD CONSTRAINT zone_audience_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES public.zone(id);

ALTER TABLE ONLY public.zone
    ADD CONSTRAINT zone_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.zone_due
    ADD CONSTRAINT zone_due_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.zone_event
    ADD CONSTRAINT zone_event_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE ONLY public.zone_event
    ADD CONSTRAINT zone_event_officer_id_fkey FOREIGN KEY (officer_id) REFERENCES public.officer(id);

ALTER TABLE ONLY public.zone_event
    ADD CONSTRAINT zone_event_version_id_fkey FOREIGN KEY (version_id) REFERENCES public.zone_version(id);

ALTER TABLE ONLY public.zone_event
    ADD CONSTRAINT zone_event_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES public.zone(id);

ALTER TABLE ONLY public.zone
    ADD CONSTRAINT zone_unit_id_fkey FOREIGN KEY (unit_id) REFERENCES public.unit(id);

ALTER TABLE ONLY public.zone_version
    ADD CONSTRAINT zone_version_created_by_fkey FOREIGN KEY (created_by) REFERENCES public.account(id);

ALTER TABLE ONLY public.zone_version
    ADD CONSTRAINT zone_version_zone_id_fkey FOREIGN KEY (zone_id) REFERENCES public.zone(id);

ALTER TABLE ONLY public.zone_watch
    ADD CONSTRAINT zone_watch_device_id_fkey FOREIGN KEY (device_id) REFERENCES public.device(id);

ALTER TABLE public.account ENABLE ROW LEVEL SECURITY;

CREATE POLICY account_scope ON public.account TO xunlu_api USING ((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])));

CREATE POLICY account_server ON public.account TO xunlu_jobs USING (true);

ALTER TABLE public.alarm ENABLE ROW LEVEL SECURITY;

CREATE POLICY alarm_scope ON public.alarm TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY alarm_server ON public.alarm TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.audit ENABLE ROW LEVEL SECURITY;

CREATE POLICY audit_scope ON public.audit TO xunlu_api USING ((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])));

CREATE POLICY audit_server ON public.audit TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.availability ENABLE ROW LEVEL SECURITY;

CREATE POLICY availability_scope ON public.availability TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY availability_server ON public.availability TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.binding ENABLE ROW LEVEL SECURITY;

CREATE POLICY binding_scope ON public.binding TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY binding_server ON public.binding TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.burst ENABLE ROW LEVEL SECURITY;

CREATE POLICY burst_scope ON public.burst TO xunlu_api USING (((( SELECT public.scope_officer() AS scope_officer) IS NULL) AND ((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])) OR (device_id IN ( SELECT device.id
   FROM public.device)))));

CREATE POLICY burst_server ON public.burst TO xunlu_jobs USING (true);

ALTER TABLE public.command ENABLE ROW LEVEL SECURITY;

CREATE POLICY command_scope ON public.command TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY command_server ON public.command TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.device ENABLE ROW LEVEL SECURITY;

CREATE POLICY device_scope ON public.device TO xunlu_api USING (((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])) AND ((( SELECT public.scope_officer() AS scope_officer) IS NULL) OR (id = ANY (( SELECT public.scope_devices() AS scope_devices)::bigint[])))));

CREATE POLICY device_server ON public.device TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.device_session ENABLE ROW LEVEL SECURITY;

CREATE POLICY device_session_scope ON public.device_session TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY device_session_server ON public.device_session TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.device_shadow ENABLE ROW LEVEL SECURITY;

CREATE POLICY device_shadow_scope ON public.device_shadow TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY device_shadow_server ON public.device_shadow TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.device_state ENABLE ROW LEVEL SECURITY;

CREATE POLICY device_state_scope ON public.device_state TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY device_state_server ON public.device_state TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.erasure ENABLE ROW LEVEL SECURITY;

CREATE POLICY erasure_scope ON public.erasure TO xunlu_api USING (((device_id IN ( SELECT device.id
   FROM public.device)) OR ((device_id IS NULL) AND ((officer_id IS NULL) OR (officer_id IN ( SELECT officer.id
   FROM public.officer))))));

ALTER TABLE public.event ENABLE ROW LEVEL SECURITY;

CREATE POLICY event_scope ON public.event TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY event_server ON public.event TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.expected_device ENABLE ROW LEVEL SECURITY;

CREATE POLICY expected_device_scope ON public.expected_device TO xunlu_api USING ((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])));

CREATE POLICY expected_device_server ON public.expected_device TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.file_to_erase ENABLE ROW LEVEL SECURITY;

CREATE POLICY file_to_erase_server ON public.file_to_erase TO xunlu_jobs USING (true);

ALTER TABLE public.floor_entry ENABLE ROW LEVEL SECURITY;

CREATE POLICY floor_entry_scope ON public.floor_entry TO xunlu_api USING (((( SELECT public.scope_officer() AS scope_officer) IS NULL) AND (unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[]))));

CREATE POLICY floor_entry_server ON public.floor_entry TO xunlu_jobs USING (true);

ALTER TABLE public.incident ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.incident_export ENABLE ROW LEVEL SECURITY;

CREATE POLICY incident_export_scope ON public.incident_export TO xunlu_api USING ((incident_id IN ( SELECT incident.id
   FROM public.incident)));

CREATE POLICY incident_export_server ON public.incident_export TO xunlu_jobs USING (true);

ALTER TABLE public.incident_mark ENABLE ROW LEVEL SECURITY;

CREATE POLICY incident_mark_scope ON public.incident_mark TO xunlu_api USING ((incident_id IN ( SELECT incident.id
   FROM public.incident)));

ALTER TABLE public.incident_note ENABLE ROW LEVEL SECURITY;

CREATE POLICY incident_note_scope ON public.incident_note TO xunlu_api USING ((incident_id IN ( SELECT incident.id
   FROM public.incident)));

CREATE POLICY incident_scope ON public.incident TO xunlu_api USING ((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])));

ALTER TABLE public.incident_share ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.incident_share_opening ENABLE ROW LEVEL SECURITY;

CREATE POLICY incident_share_opening_scope ON public.incident_share_opening TO xunlu_api USING ((share_id IN ( SELECT incident_share.id
   FROM public.incident_share)));

CREATE POLICY incident_share_scope ON public.incident_share TO xunlu_api USING ((incident_id IN ( SELECT incident.id
   FROM public.incident)));

ALTER TABLE public.login ENABLE ROW LEVEL SECURITY;

CREATE POLICY login_scope ON public.login TO xunlu_api USING ((account_id IN ( SELECT account.id
   FROM public.account)));

CREATE POLICY login_server ON public.login TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.membership ENABLE ROW LEVEL SECURITY;

CREATE POLICY membership_scope ON public.membership TO xunlu_api USING (((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])) AND (COALESCE(( SELECT public.scope_officer() AS scope_officer), officer_id) = officer_id)));

CREATE POLICY membership_server ON public.membership TO xunlu_jobs USING (true);

ALTER TABLE public.message ENABLE ROW LEVEL SECURITY;

CREATE POLICY message_scope ON public.message TO xunlu_api USING (
CASE
    WHEN (( SELECT public.scope_officer() AS scope_officer) IS NULL) THEN (unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[]))
    ELSE (id = ANY (( SELECT public.scope_messages() AS scope_messages)::text[]))
END);

CREATE POLICY message_server ON public.message TO xunlu_jobs USING (true);

ALTER TABLE public.message_target ENABLE ROW LEVEL SECURITY;

CREATE POLICY message_target_scope ON public.message_target TO xunlu_api USING ((message_id IN ( SELECT message.id
   FROM public.message)));

CREATE POLICY message_target_server ON public.message_target TO xunlu_jobs USING (true);

ALTER TABLE public.officer ENABLE ROW LEVEL SECURITY;

CREATE POLICY officer_scope ON public.officer TO xunlu_api USING (((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])) AND (COALESCE(( SELECT public.scope_officer() AS scope_officer), id) = id)));

CREATE POLICY officer_server ON public.officer TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public."position" ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.position_hour ENABLE ROW LEVEL SECURITY;

CREATE POLICY position_hour_scope ON public.position_hour TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY position_hour_server ON public.position_hour TO xunlu_ingest, xunlu_jobs USING (true);

CREATE POLICY position_scope ON public."position" TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY position_server ON public."position" TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.recording ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.recording_order ENABLE ROW LEVEL SECURITY;

CREATE POLICY recording_order_scope ON public.recording_order TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY recording_order_server ON public.recording_order TO xunlu_jobs USING (true);

CREATE POLICY recording_scope ON public.recording TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY recording_server ON public.recording TO xunlu_jobs USING (true);

ALTER TABLE public.shift ENABLE ROW LEVEL SECURITY;

CREATE POLICY shift_scope ON public.shift TO xunlu_api USING ((officer_id IN ( SELECT officer.id
   FROM public.officer)));

CREATE POLICY shift_server ON public.shift TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.talk_group ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.talk_group_member ENABLE ROW LEVEL SECURITY;

CREATE POLICY talk_group_member_scope ON public.talk_group_member TO xunlu_api USING ((gid IN ( SELECT talk_group.gid
   FROM public.talk_group)));

CREATE POLICY talk_group_member_server ON public.talk_group_member TO xunlu_jobs USING (true);

CREATE POLICY talk_group_scope ON public.talk_group TO xunlu_api USING (
CASE
    WHEN (( SELECT public.scope_officer() AS scope_officer) IS NULL) THEN (unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[]))
    ELSE (gid = ANY (( SELECT public.scope_groups() AS scope_groups)::text[]))
END);

CREATE POLICY talk_group_server ON public.talk_group TO xunlu_jobs USING (true);

ALTER TABLE public.telemetry ENABLE ROW LEVEL SECURITY;

CREATE POLICY telemetry_scope ON public.telemetry TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY telemetry_server ON public.telemetry TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.track_piece ENABLE ROW LEVEL SECURITY;

CREATE POLICY track_piece_scope ON public.track_piece TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY track_piece_server ON public.track_piece TO xunlu_jobs USING (true);

ALTER TABLE public.unit ENABLE ROW LEVEL SECURITY;

CREATE POLICY unit_scope ON public.unit TO xunlu_api USING ((path ~~ (NULLIF(current_setting('xunlu.scope'::text, true), ''::text) || '%'::text)));

CREATE POLICY unit_server ON public.unit TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.viewing ENABLE ROW LEVEL SECURITY;

CREATE POLICY viewing_scope ON public.viewing TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY viewing_server ON public.viewing TO xunlu_jobs USING (true);

ALTER TABLE public.voice_note ENABLE ROW LEVEL SECURITY;

CREATE POLICY voice_note_scope ON public.voice_note TO xunlu_api USING ((message_id IN ( SELECT message.id
   FROM public.message)));

CREATE POLICY voice_note_server ON public.voice_note TO xunlu_jobs USING (true);

ALTER TABLE public.zone ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.zone_audience ENABLE ROW LEVEL SECURITY;

CREATE POLICY zone_audience_scope ON public.zone_audience TO xunlu_api USING ((zone_id IN ( SELECT zone.id
   FROM public.zone)));

CREATE POLICY zone_audience_server ON public.zone_audience TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.zone_event ENABLE ROW LEVEL SECURITY;

CREATE POLICY zone_event_scope ON public.zone_event TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY zone_event_server ON public.zone_event TO xunlu_ingest, xunlu_jobs USING (true);

CREATE POLICY zone_scope ON public.zone TO xunlu_api USING ((unit_id = ANY (( SELECT public.scope_units() AS scope_units)::bigint[])));

CREATE POLICY zone_server ON public.zone TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.zone_version ENABLE ROW LEVEL SECURITY;

CREATE POLICY zone_version_scope ON public.zone_version TO xunlu_api USING ((zone_id IN ( SELECT zone.id
   FROM public.zone)));

CREATE POLICY zone_version_server ON public.zone_version TO xunlu_ingest, xunlu_jobs USING (true);

ALTER TABLE public.zone_watch ENABLE ROW LEVEL SECURITY;

CREATE POLICY zone_watch_scope ON public.zone_watch TO xunlu_api USING ((device_id IN ( SELECT device.id
   FROM public.device)));

CREATE POLICY zone_watch_server ON public.zone_watch TO xunlu_ingest, xunlu_jobs USING (true);

REVOKE USAGE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO xunlu_api;
GRANT USAGE ON SCHEMA public TO xunlu_ingest;
GRANT USAGE ON SCHEMA public TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.retention_run TO xunlu_api;
GRANT SELECT ON TABLE public.retention_run TO xunlu_jobs;

REVOKE ALL ON FUNCTION public.apply_retention(wanted text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.apply_retention(wanted text) TO xunlu_jobs;

REVOKE ALL ON FUNCTION public.erasable_chunks(wanted text, edge timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.erase_chunks(wanted text, edge timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.erase_rows(wanted text, edge timestamp with time zone) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.held_history(wanted text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.measure_retention(wanted text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.note_membership() FROM PUBLIC;

REVOKE ALL ON FUNCTION public.preview_retention(wanted text) FROM PUBLIC;
GRANT ALL ON FUNCTION public.preview_retention(wanted text) TO xunlu_api;
GRANT ALL ON FUNCTION public.preview_retention(wanted text) TO xunlu_jobs;

REVOKE ALL ON FUNCTION public.record_retention(run public.retention_run, dry_run boolean) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.retention_due(subject text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.retention_holds(subject text) FROM PUBLIC;

REVOKE ALL ON FUNCTION public.sort_position_chunk() FROM PUBLIC;
GRANT ALL ON FUNCTION public.sort_position_chunk() TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.account TO xunlu_api;

GRANT SELECT(id) ON TABLE public.account TO xunlu_jobs;

GRANT SELECT(unit_id) ON TABLE public.account TO xunlu_jobs;

GRANT SELECT(username) ON TABLE public.account TO xunlu_jobs;

GRANT SELECT(display_name) ON TABLE public.account TO xunlu_jobs;

GRANT SELECT(role) ON TABLE public.account TO xunlu_jobs;

GRANT SELECT(officer_id) ON TABLE public.account TO xunlu_jobs;

GRANT SELECT(disabled_at) ON TABLE public.account TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.alarm TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.alarm TO xunlu_ingest;
GRANT SELECT ON TABLE public.alarm TO xunlu_jobs;

GRANT UPDATE(state) ON TABLE public.alarm TO xunlu_jobs;

GRANT UPDATE(closed_at) ON TABLE public.alarm TO xunlu_jobs;

GRANT UPDATE(withdrawn_at) ON TABLE public.alarm TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.audit TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.audit TO xunlu_jobs;

GRANT SELECT ON TABLE public.availability TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.availability TO xunlu_ingest;
GRANT SELECT,INSERT ON TABLE public.availability TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.binding TO xunlu_api;
GRANT SELECT ON TABLE public.binding TO xunlu_ingest;
GRANT SELECT ON TABLE public.binding TO xunlu_jobs;

GRANT SELECT ON TABLE public.burst TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.burst TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.command TO xunlu_api;
GRANT SELECT,UPDATE ON TABLE public.command TO xunlu_ingest;
GRANT SELECT,INSERT,UPDATE ON TABLE public.command TO xunlu_jobs;

GRANT SELECT ON TABLE public.dead_letter TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.dead_letter TO xunlu_ingest;
GRANT SELECT,DELETE ON TABLE public.dead_letter TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.device TO xunlu_api;
GRANT SELECT ON TABLE public.device TO xunlu_ingest;
GRANT SELECT ON TABLE public.device TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.device_state TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.device_state TO xunlu_ingest;
GRANT SELECT,UPDATE ON TABLE public.device_state TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.officer TO xunlu_api;
GRANT SELECT ON TABLE public.officer TO xunlu_jobs;
GRANT SELECT ON TABLE public.officer TO xunlu_ingest;

GRANT SELECT,INSERT,UPDATE ON TABLE public.unit TO xunlu_api;
GRANT SELECT ON TABLE public.unit TO xunlu_ingest;
GRANT SELECT ON TABLE public.unit TO xunlu_jobs;

GRANT SELECT ON TABLE public.device_overview TO xunlu_api;

GRANT SELECT ON TABLE public.device_session TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.device_session TO xunlu_ingest;

GRANT SELECT,INSERT,UPDATE ON TABLE public.device_shadow TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.device_shadow TO xunlu_ingest;

GRANT SELECT ON TABLE public.erasure TO xunlu_api;

GRANT SELECT ON TABLE public.event TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.event TO xunlu_ingest;
GRANT SELECT ON TABLE public.event TO xunlu_jobs;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.expected_device TO xunlu_api;

GRANT SELECT,DELETE ON TABLE public.file_to_erase TO xunlu_jobs;

GRANT SELECT ON TABLE public.floor_entry TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.floor_entry TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.incident TO xunlu_api;

GRANT UPDATE(title) ON TABLE public.incident TO xunlu_api;

GRANT UPDATE(began_at) ON TABLE public.incident TO xunlu_api;

GRANT UPDATE(ended_at) ON TABLE public.incident TO xunlu_api;

GRANT UPDATE(place) ON TABLE public.incident TO xunlu_api;

GRANT UPDATE(subjects) ON TABLE public.incident TO xunlu_api;

GRANT UPDATE(closed_at) ON TABLE public.incident TO xunlu_api;

GRANT UPDATE(released_at) ON TABLE public.incident TO xunlu_api;

GRANT SELECT ON TABLE public.incident_reach TO xunlu_api;

GRANT SELECT,INSERT ON TABLE public.message TO xunlu_api;
GRANT SELECT ON TABLE public.message TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.message_target TO xunlu_api;
GRANT SELECT,UPDATE ON TABLE public.message_target TO xunlu_jobs;

GRANT SELECT ON TABLE public.recording TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.recording TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.viewing TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.viewing TO xunlu_jobs;

GRANT SELECT ON TABLE public.held TO xunlu_api;

GRANT SELECT,INSERT ON TABLE public.incident_export TO xunlu_api;
GRANT SELECT,UPDATE ON TABLE public.incident_export TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.incident_mark TO xunlu_api;

GRANT UPDATE(struck_at) ON TABLE public.incident_mark TO xunlu_api;

GRANT UPDATE(struck_by) ON TABLE public.incident_mark TO xunlu_api;

GRANT SELECT,INSERT ON TABLE public.incident_note TO xunlu_api;

GRANT SELECT,INSERT ON TABLE public.incident_share TO xunlu_api;

GRANT UPDATE(revoked_at) ON TABLE public.incident_share TO xunlu_api;

GRANT UPDATE(revoked_by) ON TABLE public.incident_share TO xunlu_api;

GRANT SELECT,INSERT ON TABLE public.incident_share_opening TO xunlu_api;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.login TO xunlu_api;
GRANT SELECT,DELETE ON TABLE public.login TO xunlu_jobs;

GRANT SELECT ON TABLE public.membership TO xunlu_api;
GRANT SELECT ON TABLE public.membership TO xunlu_jobs;

GRANT SELECT ON TABLE public.migration TO xunlu_api;

GRANT SELECT ON TABLE public."position" TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public."position" TO xunlu_ingest;
GRANT SELECT ON TABLE public."position" TO xunlu_jobs;

GRANT SELECT ON TABLE public.position_hour TO xunlu_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.position_hour TO xunlu_jobs;

GRANT SELECT ON TABLE public.position_hour_due TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.position_hour_due TO xunlu_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.position_hour_due TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.recording_order TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.recording_order TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.retention_rule TO xunlu_api;
GRANT SELECT ON TABLE public.retention_rule TO xunlu_jobs;

GRANT SELECT ON TABLE public.server_state TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.server_state TO xunlu_jobs;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.server_watch TO xunlu_jobs;
GRANT SELECT ON TABLE public.server_watch TO xunlu_api;

GRANT SELECT,INSERT ON TABLE public.shift TO xunlu_api;
GRANT SELECT ON TABLE public.shift TO xunlu_ingest;
GRANT SELECT ON TABLE public.shift TO xunlu_jobs;

GRANT UPDATE(withdrawn_at) ON TABLE public.shift TO xunlu_api;

GRANT UPDATE(withdrawn_by) ON TABLE public.shift TO xunlu_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.talk_group TO xunlu_api;
GRANT SELECT,INSERT,UPDATE ON TABLE public.talk_group TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.talk_group_member TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.talk_group_member TO xunlu_jobs;

GRANT SELECT ON TABLE public.talk_person TO xunlu_api;
GRANT SELECT ON TABLE public.talk_person TO xunlu_jobs;

GRANT SELECT ON TABLE public.talk_member TO xunlu_api;
GRANT SELECT ON TABLE public.talk_member TO xunlu_jobs;

GRANT SELECT ON TABLE public.telemetry TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.telemetry TO xunlu_ingest;
GRANT SELECT ON TABLE public.telemetry TO xunlu_jobs;

GRANT SELECT ON TABLE public.track_piece TO xunlu_api;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.track_piece TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.voice_note TO xunlu_api;

GRANT SELECT(message_id) ON TABLE public.voice_note TO xunlu_jobs;

GRANT SELECT(created_at) ON TABLE public.voice_note TO xunlu_jobs;

GRANT SELECT(size_bytes) ON TABLE public.voice_note TO xunlu_jobs;

GRANT SELECT(sha256) ON TABLE public.voice_note TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.zone TO xunlu_api;
GRANT SELECT ON TABLE public.zone TO xunlu_ingest;
GRANT SELECT ON TABLE public.zone TO xunlu_jobs;

GRANT SELECT,INSERT ON TABLE public.zone_audience TO xunlu_api;
GRANT SELECT ON TABLE public.zone_audience TO xunlu_ingest;
GRANT SELECT ON TABLE public.zone_audience TO xunlu_jobs;

GRANT UPDATE(until) ON TABLE public.zone_audience TO xunlu_api;

GRANT SELECT,INSERT,UPDATE ON TABLE public.zone_due TO xunlu_ingest;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.zone_due TO xunlu_jobs;

GRANT SELECT ON TABLE public.zone_event TO xunlu_api;
GRANT SELECT,INSERT ON TABLE public.zone_event TO xunlu_ingest;
GRANT SELECT,INSERT ON TABLE public.zone_event TO xunlu_jobs;

GRANT UPDATE(late) ON TABLE public.zone_event TO xunlu_ingest;
GRANT UPDATE(late) ON TABLE public.zone_event TO xunlu_jobs;

GRANT UPDATE(withdrawn_at) ON TABLE public.zone_event TO xunlu_ingest;
GRANT UPDATE(withdrawn_at) ON TABLE public.zone_event TO xunlu_jobs;

GRANT UPDATE(changed_at) ON TABLE public.zone_event TO xunlu_ingest;
GRANT UPDATE(changed_at) ON TABLE public.zone_event TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.zone_version TO xunlu_api;
GRANT SELECT ON TABLE public.zone_version TO xunlu_ingest;
GRANT SELECT ON TABLE public.zone_version TO xunlu_jobs;

GRANT SELECT,INSERT,UPDATE ON TABLE public.zone_watch TO xunlu_ingest;
GRANT SELECT,INSERT,UPDATE ON TABLE public.zone_watch TO xunlu_jobs;
GRANT SELECT ON TABLE public.zone_watch TO xunlu_api;
