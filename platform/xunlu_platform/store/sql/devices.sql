-- name: page
select * from device_overview d
where (%(after)s::text is null or d.did > %(after)s)
  and (%(status)s::text is null or d.status = %(status)s)
  and (%(kind)s::text is null or d.kind = %(kind)s)
  and (%(q)s::text is null or d.did ilike %(q)s or d.serial ilike %(q)s or d.officer_number ilike %(q)s
    or d.officer_name ilike %(q)s or d.officer_pinyin ilike %(q)s)
  and (%(unit)s::bigint is null or d.unit_id in (
    select below.id from unit top join unit below on below.path like top.path || '%%' where top.id = %(unit)s))
order by d.did limit %(limit)s

-- name: one
select * from device_overview where did = %(did)s

-- name: shadow
select desired, desired_version, reported, reported_at from device_shadow where device_id = %(id)s

-- name: change
update device set unit_id = coalesce(%(unit_id)s, unit_id),
  inspection_report = nullif(coalesce(%(inspection_report)s, inspection_report), '')
where id = %(id)s

-- name: set_status
update device set status = %(status)s,
  approved_at = case when %(status)s = 'approved' then coalesce(approved_at, now()) else approved_at end
where id = %(id)s

-- name: desire
insert into device_shadow (device_id, desired, desired_version, desired_at) values (%(id)s, %(config)s, 1, now())
on conflict (device_id) do update
  set desired = excluded.desired, desired_version = device_shadow.desired_version + 1, desired_at = now()
returning desired_version

-- name: bindings
select o.id as officer_id, o.number as officer_number, o.name as officer_name,
  b.bound_at, bound.username as bound_by, b.released_at, released.username as released_by
from binding b join officer o on o.id = b.officer_id
  left join account bound on bound.id = b.bound_by
  left join account released on released.id = b.released_by
where b.device_id = %(id)s
order by b.bound_at desc limit 500

-- name: release
update binding set released_at = now(), released_by = %(account_id)s
where device_id = %(id)s and released_at is null

-- name: bind
insert into binding (device_id, officer_id, bound_by) values (%(id)s, %(officer_id)s, %(account_id)s)

-- name: identities
-- A telephone has no account at the broker.
select did, status, kind from device where kind <> 'phone' order by did

-- name: claimed
-- `open`: the answer may have been lost, for nobody has used it yet, and this is who it was for.
select did, status, kind, unit_id, coalesce(claim_hash = %(claim_hash)s, false) and status <> 'disabled'
    and created_at > now() - interval '1 day'
    and not exists (select from device_state s where s.device_id = device.id) as open
from device where vendor = %(vendor)s and serial = %(serial)s

-- name: close_claim
update device set claim_hash = null where id = %(id)s

-- name: taken
select exists (select from device where did = %(did)s) as taken

-- name: count_pending
select count(*) as devices from device where status = 'pending'

-- name: insert
insert into device (did, tenant, unit_id, kind, serial, vendor, model, inspection_report, status, approved_at, claim_hash)
values (%(did)s, %(tenant)s, %(unit_id)s, %(kind)s, %(serial)s, %(vendor)s, %(model)s, %(inspection_report)s, %(status)s,
  case when %(status)s = 'approved' then now() end, %(claim_hash)s)
returning id

-- name: bind_if_free
-- An officer who wears another recorder already keeps it.
insert into binding (device_id, officer_id, bound_by)
select %(id)s, %(officer_id)s, %(account_id)s
where not exists (select from binding where officer_id = %(officer_id)s and released_at is null and not phone)
