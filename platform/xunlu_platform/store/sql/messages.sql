-- Orders by text.

-- name: target_device
select d.id, d.did, d.kind, d.status, d.unit_id from device d where d.did = %(to)s

-- name: target_group
select g.gid, g.unit_id from talk_group g
where g.gid = %(to)s and g.closed_at is null and coalesce(g.until > now(), true)

-- name: members
-- Who a message to a group is for: recorders, and people who have a screen. Not its author.
select m.person, m.account_id, d.id, d.did, d.kind, (
    select count(*) from command c where c.device_id = d.id and c.state in ('queued', 'delivered', 'accepted', 'running')
      and c.expires_at > now()) as waiting
from talk_member m left join device d on d.id = m.device_id and m.account_id is null
where m.gid = %(gid)s and m.account_id is distinct from %(account_id)s
order by m.person limit %(limit)s

-- name: waiting
select count(*) as waiting from command
where device_id = %(device_id)s and state in ('queued', 'delivered', 'accepted', 'running') and expires_at > now()

-- name: write
insert into message (id, unit_id, target, text, speak, account_id, username)
values (%(id)s, %(unit_id)s, %(to)s, %(text)s, %(speak)s, %(account_id)s, %(username)s)

-- name: address
insert into message_target (message_id, person, rid) values (%(id)s, %(person)s, %(rid)s)

-- name: page
select m.id, m.target as "to", m.text, m.speak, m.username as by, m.created_at, (
    select jsonb_agg(jsonb_build_object('id', t.person, 'name', coalesce(p.name, t.person), 'state', case
        when c.state in ('rejected', 'failed', 'expired') then 'failed'
        when c.state = 'done' or t.read_at is not null then 'read'
        when c.delivered_at is not null or t.delivered_at is not null then 'delivered' else 'waiting' end,
      'delivered_at', coalesce(c.delivered_at, t.delivered_at), 'why', c.why,
      'read_at', case when c.state = 'done' then c.finished_at else t.read_at end) order by t.person)
    from message_target t left join command c on c.rid = t.rid left join talk_person p on p.person = t.person
    where t.message_id = m.id) as targets
from message m
where (%(id)s::text is null or m.id = %(id)s)
  and (%(to)s::text is null or m.target = %(to)s)
  and (%(after_at)s::timestamptz is null or (m.created_at, m.id) < (%(after_at)s, %(after_id)s))
order by m.created_at desc, m.id desc limit %(limit)s

-- name: delivered
update message_target set delivered_at = now()
where person = 'u-' || %(account_id)s::bigint and delivered_at is null and message_id = any(%(ids)s)

-- name: read
update message_target set delivered_at = coalesce(delivered_at, now()), read_at = coalesce(read_at, now())
where person = 'u-' || %(account_id)s::bigint and message_id = %(id)s
