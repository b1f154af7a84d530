-- name: page
select o.id, o.unit_id, o.number, o.name, o.pinyin, o.active, d.did as device,
  (select s.ends_at from shift s where s.officer_id = o.id and s.withdrawn_at is null and s.begins_at <= now()
    and s.ends_at > now()) as on_shift_until
from officer o
  left join binding b on b.officer_id = o.id and b.released_at is null and not b.phone
  left join device d on d.id = b.device_id
where (%(after)s::bigint is null or o.id < %(after)s)
  and (%(q)s::text is null or o.number ilike %(q)s or o.name ilike %(q)s or o.pinyin ilike %(q)s)
  and (%(unit)s::bigint is null or o.unit_id in (
    select below.id from unit top join unit below on below.path like top.path || '%%' where top.id = %(unit)s))
order by o.id desc limit %(limit)s

-- name: one
select o.id, o.unit_id, o.number, o.name, o.pinyin, o.active, d.did as device,
  (select s.ends_at from shift s where s.officer_id = o.id and s.withdrawn_at is null and s.begins_at <= now()
    and s.ends_at > now()) as on_shift_until
from officer o
  left join binding b on b.officer_id = o.id and b.released_at is null and not b.phone
  left join device d on d.id = b.device_id
where o.id = %(id)s

-- name: by_number
select id, unit_id, active from officer where number = %(number)s and tenant = %(tenant)s

-- name: insert
insert into officer (tenant, unit_id, number, name, pinyin)
values (%(tenant)s, %(unit_id)s, %(number)s, %(name)s, %(pinyin)s)
returning id

-- name: change
update officer set
  unit_id = coalesce(%(unit_id)s, unit_id),
  number = coalesce(%(number)s, number),
  name = coalesce(%(name)s, name),
  pinyin = coalesce(%(pinyin)s, pinyin),
  active = coalesce(%(active)s, active)
where id = %(id)s

-- name: bindings
select d.did, b.bound_at, bound.username as bound_by, b.released_at, released.username as released_by
from binding b join device d on d.id = b.device_id
  left join account bound on bound.id = b.bound_by
  left join account released on released.id = b.released_by
where b.officer_id = %(id)s
order by b.bound_at desc limit 500
