-- Live video as people ask for it: viewings, the command that starts it, orders to record.

-- name: take_turn
-- Until the end of the transaction; the first key keeps these apart from other advisory locks.
select pg_advisory_xact_lock(1, %(device_id)s::integer)

-- name: recent_start
select rid from command
where device_id = %(device_id)s and name = 'live_start' and state in ('queued', 'delivered', 'accepted', 'running')
  and expires_at > now() and created_at > now() - make_interval(secs => %(recent_s)s)
order by created_at desc limit 1

-- name: ask
insert into viewing (id, device_id, account_id, username) values (%(id)s, %(device_id)s, %(account_id)s, %(username)s)

-- name: in_scope
-- Of some devices those in scope, with the order to record that counts.
select d.did, case when o.id is not null then
    jsonb_build_object('id', o.id, 'why', o.why, 'by', o.username, 'since', o.created_at, 'until', o.until) end as "order"
from device d left join lateral (
  select * from recording_order where device_id = d.id and ended_at is null order by created_at, id limit 1) o on true
where d.did = any(%(dids)s)
order by d.did

-- name: watchers
select d.did, v.username as user, v.began_at as since
from viewing v join device d on d.id = v.device_id
where d.did = any(%(dids)s) and v.began_at is not null and v.ended_at is null
order by v.began_at limit 2000

-- name: orders
-- The order that counts for each device, or for one: the oldest open one.
select distinct on (o.device_id) d.did, o.id, o.why, o.username as by, o.created_at as since, o.until
from recording_order o join device d on d.id = o.device_id
where o.ended_at is null and (%(did)s::text is null or d.did = %(did)s)
order by o.device_id, o.created_at, o.id

-- name: order_by_hand
insert into recording_order (id, device_id, why, account_id, username)
values (%(id)s, %(device_id)s, 'hand', %(account_id)s, %(username)s)
on conflict (device_id, why) where ended_at is null do nothing

-- name: end_order_by_hand
update recording_order set ended_at = now() where device_id = %(device_id)s and why = 'hand' and ended_at is null

-- name: viewings
select v.id, d.did, v.username, v.asked_at, v.began_at, v.seen_at, v.ended_at, v.sent_bytes, v.why
from viewing v join device d on d.id = v.device_id
where (%(did)s::text is null or d.did = %(did)s)
  and (%(username)s::text is null or v.username = %(username)s)
  and (%(from)s::timestamptz is null or v.asked_at >= %(from)s)
  and (%(to)s::timestamptz is null or v.asked_at < %(to)s)
  and (%(after_at)s::timestamptz is null or (v.asked_at, v.id) < (%(after_at)s, %(after_id)s))
order by v.asked_at desc, v.id desc limit %(limit)s
