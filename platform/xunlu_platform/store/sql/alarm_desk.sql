-- name: page
select a.id, d.did, a.kind, a.severity, a.raised_at, a.received_at, a.late, a.cancelled_at, a.lat, a.lon,
  a.fix_at as fix_time, a.state,
  case when o.id is not null then jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) end as officer,
  jsonb_build_object('id', u.id, 'name', u.name) as unit,
  case when z.id is not null then jsonb_build_object('id', z.id, 'name', z.name, 'kind', z.kind) end as zone,
  acknowledged.username as acknowledged_by, a.acknowledged_at, closed.username as closed_by, a.closed_at, a.withdrawn_at, a.note
from alarm a join device d on d.id = a.device_id join unit u on u.id = d.unit_id
  left join officer o on o.id = a.officer_id
  left join zone z on z.id = a.zone_id
  left join account acknowledged on acknowledged.id = a.acknowledged_by
  left join account closed on closed.id = a.closed_by
where (%(id)s::bigint is null or a.id = %(id)s)
  and a.state = any (%(states)s)
  and (%(after_at)s::timestamptz is null or (a.raised_at, a.id) < (%(after_at)s, %(after_id)s))
order by a.raised_at desc, a.id desc limit %(limit)s

-- name: acknowledge
update alarm set state = 'acknowledged', acknowledged_at = now(), acknowledged_by = %(account_id)s
where id = %(id)s and state = 'new'

-- name: close
-- Who closes has seen it: an alarm closed at once counts as acknowledged by the same person.
update alarm set state = %(state)s, note = %(note)s, closed_at = now(), closed_by = %(account_id)s,
  acknowledged_at = coalesce(acknowledged_at, now()), acknowledged_by = coalesce(acknowledged_by, %(account_id)s)
where id = %(id)s and state in ('new', 'acknowledged')
