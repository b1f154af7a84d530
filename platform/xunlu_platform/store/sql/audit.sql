-- name: insert
insert into audit (account_id, username, unit_id, action, target, detail, address)
values (%(account_id)s, %(username)s, %(unit_id)s, %(action)s, %(target)s, %(detail)s, %(address)s)

-- name: page
select id, at, username, action, target, detail, host(address) as address
from audit
where (%(after)s::bigint is null or id < %(after)s)
  and (%(from)s::timestamptz is null or at >= %(from)s)
  and (%(to)s::timestamptz is null or at < %(to)s)
  and (%(q)s::text is null or username ilike %(q)s or action ilike %(q)s or target ilike %(q)s)
order by id desc limit %(limit)s
