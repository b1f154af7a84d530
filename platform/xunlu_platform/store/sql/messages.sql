-- Orders by text or by voice.

-- name: target_device
select d.id, d.did, d.kind, d.status, d.unit_id, s.birth -> 'caps' as caps
from device d left join device_state s on s.device_id = d.id where d.did = %(to)s

-- name: target_account
select p.account_id, p.unit_id from talk_person p where p.person = %(to)s and p.account_id is not null

-- name: target_group
select g.gid, g.unit_id, g.kind from talk_group g
where g.gid = %(to)s and g.closed_at is null and coalesce(g.until > now(), true)

-- name: recipients
-- Whom an order is for, not its author: a device with the screens of who wears it, an account, a group, or with `below` the
-- officers of a unit and of those below. Of recorders: what they can, null while they have never said so.
with named as (
  select p.person, p.name, p.account_id, p.device_id from talk_person p
    where p.person = %(to)s or (p.account_id is not null and (p.did = %(to)s or p.officer_id = (
      select b.officer_id from device d join binding b on b.device_id = d.id and b.released_at is null where d.did = %(to)s)))
  union
  select m.person, m.name, m.account_id, m.device_id from talk_member m where m.gid = %(to)s
  union
  select p.person, p.name, p.account_id, p.device_id from talk_group g join unit top on top.id = g.unit_id
      join unit u on u.path like top.path || '%%' join talk_person p on p.unit_id = u.id
    where %(below)s and g.gid = %(to)s and g.kind = 'squad' and p.officer_id is not null
)
select n.person, n.name, n.account_id, d.id, d.did, d.kind, s.birth -> 'caps' as caps, (
    select count(*) from command c where c.device_id = d.id and c.state in ('queued', 'delivered', 'accepted', 'running')
      and c.expires_at > now()) as waiting
from named n left join device d on d.id = n.device_id and n.account_id is null
  left join device_state s on s.device_id = d.id
where n.account_id is distinct from %(account_id)s
order by n.person limit %(limit)s

-- name: write
insert into message (id, unit_id, target, below, text, speak, account_id, username)
values (%(id)s, %(unit_id)s, %(to)s, %(below)s, %(text)s, %(speak)s, %(account_id)s, %(username)s)

-- name: write_note
insert into voice_note (message_id, media_type, duration_s, size_bytes, sha256, sound)
values (%(id)s, %(media_type)s, %(duration_s)s, %(size_bytes)s, %(sha256)s, %(sound)s)

-- name: notes_today
select count(*) as notes from message
where account_id = %(account_id)s and text is null and created_at > now() - interval '1 day'

-- name: address
insert into message_target (message_id, person, name, rid, why) values (%(id)s, %(person)s, %(name)s, %(rid)s, %(why)s)

-- name: page
-- A recorder that has not played a voice note is told again, for a week; what its screen shows, nobody need have read.
select m.id, m.target as "to", m.below, m.text, m.speak, m.username as by, m.created_at,
  case when v.message_id is not null then jsonb_build_object('duration_s', round(v.duration_s::numeric, 1),
    'size_bytes', v.size_bytes, 'sha256', v.sha256) end as voice, (
    select jsonb_agg(jsonb_build_object('id', t.person, 'name', coalesce(t.name, p.name, t.person), 'state', case
        when c.state = 'done' and c.name <> 'show_text' or t.read_at is not null then 'read'
        when t.why is not null or c.state = 'rejected' then 'failed'
        when m.text is null and t.person not like 'u-%%' and m.created_at < now() - interval '7 days' then 'failed'
        when c.state in ('failed', 'expired') then case when m.text is null then 'waiting' else 'failed' end
        when c.delivered_at is not null or t.delivered_at is not null then 'delivered' else 'waiting' end,
      'delivered_at', coalesce(c.delivered_at, t.delivered_at), 'why', coalesce(t.why, c.why),
      'read_at', case when c.state = 'done' and c.name <> 'show_text' then c.finished_at else t.read_at end) order by t.person)
    from message_target t left join command c on c.rid = t.rid left join talk_person p on p.person = t.person
    where t.message_id = m.id) as targets
from message m left join voice_note v on v.message_id = m.id
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

-- name: sound
-- Of a voice note, and whether it was for this account or by it.
select v.media_type, v.sound, m.target, m.account_id = %(account_id)s or exists (
  select from message_target t where t.message_id = m.id and t.person = 'u-' || %(account_id)s::bigint) as own
from voice_note v join message m on m.id = v.message_id where v.message_id = %(id)s

-- name: sound_for
-- Of a voice note, for a recorder that it is for.
select v.media_type, v.sound from voice_note v join message_target t on t.message_id = v.message_id
where v.message_id = %(id)s and t.person = %(did)s

-- name: due_notes
-- For each recorder that is here and can play it the oldest note that waits, unless one is on its way. What failed is tried
-- again after 15 s, then twice that, at last every two hours.
select distinct on (d.id) d.id, d.did, d.kind, m.id as note, m.username as by, m.account_id, v.sha256, v.size_bytes
from voice_note v join message m on m.id = v.message_id join message_target t on t.message_id = m.id
  join device d on d.did = t.person join device_state s on s.device_id = d.id
  left join command c on c.rid = t.rid
where v.created_at > now() - interval '7 days' and d.status = 'approved'
  and s.availability = 'online' and s.birth -> 'caps' ? 'play_note'
  and (c.rid is null or (c.state in ('failed', 'expired')
    and c.finished_at < now() - interval '15 s' * power(2, least(t.attempts - 1, 9))))
  and not exists (select from command o where o.device_id = d.id and o.name = 'play_note'
    and o.state in ('queued', 'delivered', 'accepted', 'running'))
order by d.id, m.created_at, m.id limit %(limit)s

-- name: unheard_texts
-- Orders by text of which a recorder that is here has not heard: who gave them died before they were sent.
select c.rid, c.name, c.args, c.expires_at, extract(epoch from c.expires_at - now())::integer as left_s, d.did, d.kind
from command c join message_target t on t.rid = c.rid join message m on m.id = t.message_id
  join device d on d.id = c.device_id join device_state s on s.device_id = d.id
where c.state = 'queued' and c.created_at < now() - interval '15 s' and c.expires_at > now() + interval '5 s'
  and m.text is not null and s.availability = 'online' and s.birth is not null
order by c.created_at, c.rid limit %(limit)s

-- name: tell_note
update message_target set rid = %(rid)s, attempts = attempts + 1 where message_id = %(note)s and person = %(person)s
