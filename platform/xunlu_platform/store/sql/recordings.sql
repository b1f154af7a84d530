-- Recordings of live video, as people look at them.

-- name: page
select r.id, d.did, r.why, r.order_id as "order", r.file, r.started_at, r.ended_at, r.size_bytes, r.sha256, r.video, r.audio,
  r.gaps, r.complete, r.registered_at, jsonb_build_object('id', u.id, 'name', u.name) as unit,
  case when o.id is not null then jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) end as officer
from recording r join device d on d.id = r.device_id join unit u on u.id = d.unit_id
  left join officer o on o.id = r.officer_id
where (%(id)s::text is null or r.id = %(id)s)
  and (%(did)s::text is null or d.did = %(did)s)
  and (%(from)s::timestamptz is null or r.ended_at > %(from)s)
  and (%(to)s::timestamptz is null or r.started_at < %(to)s)
  and (%(after_at)s::timestamptz is null or (r.started_at, r.id) < (%(after_at)s, %(after_id)s))
order by r.started_at desc, r.id desc limit %(limit)s
