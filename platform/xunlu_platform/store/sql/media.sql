-- What relays and the recorder process report, and the rules for recording; for the jobs process. Each statement is safe to
-- run again.

-- name: note_viewings
-- A relay repeats itself until it is confirmed. One that goes on is written every few seconds only; one that goes on after its
-- end was told began again with the same token, or was given up too early.
insert into viewing as v (id, device_id, asked_at, began_at, seen_at, ended_at, sent_bytes, why)
  select t.id, d.id, t.began_at, t.began_at, t.seen_at, t.ended_at, t.sent_bytes, t.why
    from unnest(%(id)s::text[], %(did)s::text[], %(began_at)s::timestamptz[], %(seen_at)s::timestamptz[],
      %(ended_at)s::timestamptz[], %(sent_bytes)s::bigint[], %(why)s::text[])
      as t(id, did, began_at, seen_at, ended_at, sent_bytes, why)
    join device d on d.did = t.did
  on conflict (id) do update set began_at = least(v.began_at, excluded.began_at),
    seen_at = greatest(v.seen_at, excluded.seen_at), sent_bytes = greatest(v.sent_bytes, excluded.sent_bytes),
    ended_at = excluded.ended_at, why = excluded.why
  where v.device_id = excluded.device_id and case
    when excluded.ended_at is not null then v.ended_at is distinct from excluded.ended_at
    when v.ended_at is not null then v.ended_at < excluded.seen_at
    else v.seen_at is null or v.seen_at < excluded.seen_at - interval '5 seconds' end

-- name: close_viewings
-- No relay names them any more: they ended when they were last seen.
update viewing set ended_at = coalesce(seen_at, began_at), why = 'lost'
  where began_at is not null and ended_at is null and id <> all(%(named)s::text[])

-- name: viewings_without_right
-- Looks that go on, or may begin yet, at devices that are live, by accounts that may not have them any more. A look that nobody
-- is known of is nobody's.
select v.id, d.did from (
    select id, device_id, account_id from viewing where began_at is not null and ended_at is null
    union all
    select id, device_id, account_id from viewing
      where began_at is null and asked_at > now() - make_interval(secs => %(unbegun_s)s)) v
  join device d on d.id = v.device_id join unit of on of.id = d.unit_id
  where d.did = any(%(live)s::text[]) and not exists (select from account a join unit u on u.id = a.unit_id
    where a.id = v.account_id and a.disabled_at is null and a.role = any(%(roles)s::text[])
      and starts_with(of.path, u.path))
  order by d.did limit 400

-- name: paths_without_right
select live.did from unnest(%(live)s::text[]) as live(did)
  where not exists (select from device d where d.did = live.did and d.status = 'approved')
  order by live.did limit 400

-- name: register_recording
-- Whose it is, is who wore the device when it began.
insert into recording (id, device_id, officer_id, order_id, why, file, started_at, ended_at, size_bytes, sha256, video, audio,
    gaps, complete)
  select %(id)s, d.id, (
      select b.officer_id from binding b
        where b.device_id = d.id and b.bound_at <= %(started_at)s and coalesce(b.released_at > %(started_at)s, true)
        order by b.bound_at desc limit 1),
    (select o.id from recording_order o where o.id = %(order)s), %(why)s, %(file)s, %(started_at)s, %(ended_at)s,
    %(size_bytes)s, %(sha256)s, %(video)s, %(audio)s, %(gaps)s::jsonb, %(complete)s
  from device d where d.did = %(did)s
  on conflict (id) do nothing

-- name: registered
select exists (select from recording where id = %(id)s) as registered

-- name: end_orders
update recording_order set ended_at = now() where ended_at is null and until <= now()

-- name: order_for_sos
-- Once for each alarm; one that is an hour old raises nothing by itself any more.
insert into recording_order (id, device_id, why)
  select 'sos-' || a.id, a.device_id, 'sos' from alarm a join device d on d.id = a.device_id
    where a.kind = 'sos' and a.state in ('new', 'acknowledged') and not a.late and d.status = 'approved'
      and a.received_at > now() - interval '1 hour'
    order by a.id
  on conflict do nothing

-- name: time_orders_for_sos
-- Without an open alarm an order goes on for some minutes; with a new one, as long as that.
with sos as (
  select o.id, exists (select from alarm a where a.device_id = o.device_id and a.kind = 'sos' and not a.late
      and a.state in ('new', 'acknowledged')) as open
    from recording_order o where o.why = 'sos' and o.ended_at is null
)
update recording_order o set until = case when not sos.open then now() + make_interval(secs => %(after_s)s) end
  from sos where sos.id = o.id and sos.open = (o.until is not null)

-- name: starts_for_sos
-- Recorders whose SOS wants a picture, until a person stops it: again when the command came to nothing, and when the picture was
-- lost later. Between two commands a picture has the time to come, and to go because no recorder process takes it.
select d.id, d.did, d.kind from recording_order o join device d on d.id = o.device_id
    join device_state s on s.device_id = d.id
  where o.why = 'sos' and o.ended_at is null and o.until is null and d.status = 'approved'
    and s.availability = 'online' and s.birth -> 'caps' ? 'live' and d.did <> all(%(live)s::text[])
    and not exists (select from command c
      where c.device_id = d.id and c.created_at >= o.created_at and case
        when c.created_by is not null then c.name = 'live_stop'
        when c.name <> 'live_start' then false
        when c.state in ('failed', 'expired') then c.created_at > now() - make_interval(secs => %(pause_s)s)
        else c.state = 'rejected' or c.created_at > now() - make_interval(secs => %(again_s)s) end)
  order by o.created_at limit 100

-- name: renewals
-- Recorders that publish with the token of a start so old that they might soon not come back with it; again when a fresh one did
-- not arrive.
select d.id, d.did, d.kind, newest.args from device d join device_state s on s.device_id = d.id
    cross join lateral (select args from command where device_id = d.id and name = 'live_start'
      order by created_at desc limit 1) newest
  where d.did = any(%(live)s::text[]) and d.status = 'approved' and s.availability = 'online'
    and not exists (select from command c
      where c.device_id = d.id and c.name = 'live_start' and c.created_at > now() - make_interval(secs =>
        case when c.state in ('rejected', 'failed', 'expired') then %(again_s)s else %(renew_s)s end))
  order by d.did limit 100
