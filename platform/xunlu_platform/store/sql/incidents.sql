-- Incidents: what people keep of them, whom they show them to, and what they hand over.

-- name: page
select i.id, i.title, i.began_at as since, i.ended_at as until, i.place,
  (select jsonb_agg(jsonb_build_object('subject', k, 'name', coalesce(o.name, substr(k, 2)), 'number', o.number) order by n)
    from unnest(i.subjects) with ordinality as s(k, n)
    left join officer o on o.id = case when k like 'o%%' then substr(k, 2)::bigint end) as subjects,
  i.alarm_id, i.created_at, i.closed_at, i.released_at,
  jsonb_build_object('id', u.id, 'name', u.name) as unit, u.path as unit_path, a.username as created_by,
  (select count(*) from incident_mark m where m.incident_id = i.id and m.struck_at is null) as marks_count
from incident i join unit u on u.id = i.unit_id left join account a on a.id = i.created_by
where (%(id)s::bigint is null or i.id = %(id)s) and (%(after)s::bigint is null or i.id < %(after)s)
  and (%(open)s::boolean is null or (i.closed_at is null) = %(open)s)
  and (%(alarm)s::bigint is null or i.alarm_id = %(alarm)s)
  and (%(q)s::text is null or i.title ilike %(q)s)
order by i.id desc limit %(limit)s

-- name: hold
-- Whoever writes to an incident waits here for whoever does so already.
select i.id from incident i where i.id = %(id)s for update

-- name: insert
insert into incident (unit_id, title, began_at, ended_at, place, subjects, alarm_id, created_by)
values (%(unit_id)s, %(title)s, %(since)s, %(until)s, %(place)s, %(subjects)s, %(alarm_id)s, %(account_id)s) returning id

-- name: change
update incident set title = %(title)s, began_at = %(since)s, ended_at = %(until)s, place = %(place)s, subjects = %(subjects)s
where id = %(id)s

-- name: close
-- A closed one can be released later; opening it again holds what is still there.
update incident set closed_at = case when %(closed)s then coalesce(closed_at, now()) end,
  released_at = case when %(released)s then now() end
where id = %(id)s and ((closed_at is null) = %(closed)s or %(released)s and released_at is null)

-- name: erased
-- What rules have erased of its subjects and its time: recordings and bursts, and the hours of which only roll-ups still know that
-- there were positions. Of what was let go that is a run after that, else the first that came by.
with reach as (select * from incident_reach where incident_id = %(id)s)
select e.subject as what, d.did, o.name, e.since as at, e.until, e.erased_at
from erasure e left join device d on d.id = e.device_id left join officer o on o.id = e.officer_id
where e.subject in ('recording', 'burst') and exists (
  select from reach r where r.since < e.until and r.until > e.since
    and (r.device_id = e.device_id or e.device_id is null and r.officer_id = e.officer_id))
union all
select 'position', d.did, null, min(h.hour), max(h.hour) + interval '1 hour', gone.erased_at
from (select distinct device_id, since, until from reach) r
join position_hour h on h.device_id = r.device_id and h.hour > r.since - interval '1 hour' and h.hour < r.until
join device d on d.id = h.device_id
cross join lateral (select min(e.erased_at) as erased_at from erasure e join incident i on i.id = %(id)s
  where e.subject = 'position' and e.device_id is null and e.since <= h.hour and e.until > h.hour
    and e.erased_at >= coalesce(i.released_at, '-infinity')) gone
where gone.erased_at is not null and not exists (select from position p
  where p.device_id = h.device_id and p.fix_at >= h.hour and p.fix_at < h.hour + interval '1 hour')
group by d.did, gone.erased_at
order by at limit 500

-- name: hold_alarm
-- Whoever makes an incident of an alarm waits here for whoever does so already.
select id from alarm where id = %(id)s for update

-- name: notes
select id, at, author, kind, text, changed from incident_note where incident_id = %(id)s order by id

-- name: add_note
insert into incident_note (incident_id, account_id, author, kind, text, changed)
select %(id)s, %(account_id)s, %(author)s, %(kind)s, %(text)s, %(changed)s
where (select count(*) from incident_note where incident_id = %(id)s) < %(notes_max)s
returning id

-- name: marks
select id, at, subject, text, made_at, author, struck_at, struck_by from incident_mark where incident_id = %(id)s
order by at, id

-- name: add_mark
insert into incident_mark (incident_id, at, subject, text, account_id, author)
select %(id)s, %(at)s, %(subject)s, %(text)s, %(account_id)s, %(author)s
where (select count(*) from incident_mark where incident_id = %(id)s) < %(marks_max)s
returning id

-- name: strike_mark
update incident_mark set struck_at = now(), struck_by = %(author)s
where id = %(mark)s and incident_id = %(id)s and struck_at is null

-- name: mark
select id from incident_mark where id = %(mark)s and incident_id = %(id)s

-- Shares --------------------------------------------------------------------------------------------------------------

-- name: shares
select s.id, s.label, s.made_at, s.author, s.expires_at, s.revoked_at, s.revoked_by,
  (select count(*) from incident_share_opening o where o.share_id = s.id) as openings_count,
  coalesce((select jsonb_agg(jsonb_build_object('at', o.at, 'address', host(o.address), 'what', o.what) order by o.at desc)
    from (select * from incident_share_opening where share_id = s.id order by at desc limit 100) o), '[]') as openings
from incident_share s
where s.incident_id = %(id)s and (%(share)s::bigint is null or s.id = %(share)s) order by s.id desc

-- name: add_share
insert into incident_share (incident_id, secret_hash, label, scope, account_id, author, expires_at)
select %(id)s, %(secret_hash)s, %(label)s, %(scope)s, %(account_id)s, %(author)s, now() + make_interval(hours => %(hours)s)
where (select count(*) from incident_share where incident_id = %(id)s) < %(shares_max)s
returning id

-- name: revoke_share
update incident_share set revoked_at = now(), revoked_by = %(author)s
where id = %(share)s and incident_id = %(id)s and revoked_at is null

-- name: open_share
-- One that was opened so often that no more can be written down has ended.
select s.id, s.incident_id, s.label, s.scope, i.unit_id from incident_share s join incident i on i.id = s.incident_id
where s.secret_hash = %(secret_hash)s and s.revoked_at is null and s.expires_at > now()
  and (select count(*) from incident_share_opening o where o.share_id = s.id) < %(openings_max)s

-- name: note_opening
-- Once in an hour for an address, however many pieces a player asks for.
insert into incident_share_opening (share_id, address, what)
select %(share)s, %(address)s, %(what)s
where not exists (select from incident_share_opening
    where share_id = %(share)s and address is not distinct from %(address)s::inet and what = %(what)s
      and at > now() - interval '1 hour')
returning id

-- Exports -------------------------------------------------------------------------------------------------------------

-- name: exports
-- Those that hold no more than the reader may see: whoever asked for them may have seen more.
select id, asked_at, author, language, state, done_bytes, total_bytes, size_bytes, sha256, why, finished_at
from incident_export where incident_id = %(id)s and (%(export)s::text is null or id = %(export)s)
  and starts_with(scope, %(scope)s) and kinds <@ %(kinds)s::text[]
order by asked_at desc limit 50

-- name: ask_export
insert into incident_export (id, incident_id, scope, kinds, language, account_id, author)
select %(export)s, %(id)s, %(scope)s, %(kinds)s, %(language)s, %(account_id)s, %(author)s
where (select count(*) from incident_export where state in ('queued', 'running')) < %(waiting_max)s
  and not exists (select from incident_export where incident_id = %(id)s and state in ('queued', 'running'))
returning id

-- name: take_export
-- The oldest that waits, or whose worker has fallen silent.
update incident_export set state = 'running', worker = %(worker)s, heard_at = now(), attempts = attempts + 1, done_bytes = 0
where id = (select id from incident_export
  where state = 'queued' or state = 'running' and heard_at < now() - make_interval(secs => %(silent_s)s)
  order by asked_at limit 1 for update skip locked)
returning id, incident_id, scope, kinds, language, author, asked_at, attempts

-- name: progress
-- No row: somebody else works on it.
update incident_export set heard_at = now(), done_bytes = %(done_bytes)s, total_bytes = %(total_bytes)s
where id = %(id)s and worker = %(worker)s and state = 'running'

-- name: finish_export
update incident_export set state = %(state)s, size_bytes = %(size_bytes)s, sha256 = %(sha256)s, why = %(why)s,
  done_bytes = case when %(state)s = 'done' then total_bytes else done_bytes end, finished_at = now()
where id = %(id)s and worker = %(worker)s and state = 'running'

-- name: oldest_exports
select id, size_bytes, finished_at from incident_export where state = 'done' order by finished_at

-- name: exports_with_files
select id from incident_export where state in ('running', 'done')

-- name: erase_export
update incident_export set state = 'erased' where id = %(id)s and state = 'done'

-- name: recording_files
select id, file, sha256, size_bytes, gaps, complete from recording where id = any(%(ids)s)

-- name: burst_files
select id, file, sha256, size_bytes, '[]'::jsonb as gaps, complete from burst where id = any(%(ids)s)
