-- Duty telephones: the device of an account, and who carries it.

-- name: of_account
select id, did, kind, status from device where account_id = %(account_id)s

-- name: insert
insert into device (did, tenant, unit_id, kind, serial, vendor, model, status, approved_at, account_id)
select %(did)s, o.tenant, o.unit_id, 'phone', %(did)s, 'Xunlu', 'phone page', 'approved', now(), %(account_id)s
from officer o where o.id = %(officer_id)s
returning id, did, kind, status

-- name: carried
-- Whether the officer carries it, in the officer's own unit.
select exists (select from device d join officer o on o.id = %(officer_id)s
  join binding b on b.device_id = d.id and b.officer_id = o.id and b.released_at is null
  where d.id = %(id)s and d.unit_id = o.unit_id) as carried

-- name: lay_down
-- Whoever carried this telephone, and whatever telephone this officer carried.
update binding set released_at = now(), released_by = %(account_id)s
where released_at is null and phone and (device_id = %(id)s or officer_id = %(officer_id)s)

-- name: carry
insert into binding (device_id, officer_id, bound_by, phone) values (%(id)s, %(officer_id)s, %(account_id)s, true)

-- name: follow_officer
update device set unit_id = (select unit_id from officer where id = %(officer_id)s) where id = %(id)s

-- name: waiting
-- What was sent while no page heard it. A picture is not: nobody waits for it any more, and its token is kept nowhere.
select rid, name, args, extract(epoch from expires_at)::bigint as exp from command
where device_id = %(id)s and state = 'queued' and expires_at > now() and name <> 'live_start'
order by created_at limit %(limit)s
