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

-- name: seen
-- A player asks for a file piece by piece, a wall for each of its pictures again and again: within the hour it is one look.
select exists (select from audit
  where action = %(action)s and account_id = %(account_id)s and target = %(target)s and detail = %(detail)s::jsonb
    and at > now() - interval '1 hour') as seen
