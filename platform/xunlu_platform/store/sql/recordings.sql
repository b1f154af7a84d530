-- Recordings of live video, as people look at them.

-- name: page
-- With the incidents that hold them; of one out of the reader's sight only that there is one.
with page as (
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
), holds as (
  select h.id, jsonb_agg(distinct jsonb_build_object('id', i.id, 'title', i.title)) as held_by
  from held h left join incident i on i.id = h.incident_id
  where h.subject = 'recording' and h.id in (select id from page) group by h.id
)
select page.*, coalesce(holds.held_by, '[]') as held_by from page left join holds using (id)
order by page.started_at desc, page.id desc
