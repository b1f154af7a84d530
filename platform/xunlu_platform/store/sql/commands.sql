-- name: insert
insert into command (rid, device_id, name, args, created_by, expires_at)
values (%(rid)s, %(device_id)s, %(name)s, %(args)s, %(account_id)s, now() + make_interval(secs => %(live_s)s))
returning expires_at

-- name: count_open
select count(*) as commands from command
where device_id = %(device_id)s and state in ('queued', 'delivered', 'accepted', 'running') and expires_at > now()

-- name: give_up
update command set state = 'failed', why = %(why)s, finished_at = now() where rid = %(rid)s and state = 'queued'

-- name: one
select c.rid as id, d.did, c.name, c.args, c.state, c.code, c.why, c.progress, c.result, c.created_at,
  a.username as created_by, c.expires_at, c.delivered_at, c.accepted_at, c.running_at, c.finished_at
from command c join device d on d.id = c.device_id left join account a on a.id = c.created_by
where c.rid = %(rid)s and d.did = %(did)s

-- name: page
select c.rid as id, d.did, c.name, c.args, c.state, c.code, c.why, c.progress, c.result, c.created_at,
  a.username as created_by, c.expires_at, c.delivered_at, c.accepted_at, c.running_at, c.finished_at
from command c join device d on d.id = c.device_id left join account a on a.id = c.created_by
where d.did = %(did)s
  and (%(after_at)s::timestamptz is null or (c.created_at, c.rid) < (%(after_at)s, %(after_id)s))
order by c.created_at desc, c.rid desc limit %(limit)s
