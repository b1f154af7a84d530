-- name: by_username
select a.id, a.username, a.display_name, a.role, a.officer_id, a.password_hash, a.must_change_password,
  coalesce(a.locked_until > now(), false) as locked, a.disabled_at is not null as disabled,
  u.id as unit_id, u.name as unit_name, u.path as unit_path
from account a join unit u on u.id = a.unit_id
where a.username = lower(%(username)s)

-- name: by_token
select a.id, a.username, a.display_name, a.role, a.officer_id, a.must_change_password,
  u.id as unit_id, u.name as unit_name, u.path as unit_path, l.kind, l.csrf_token, l.expires_at
from login l join account a on a.id = l.account_id join unit u on u.id = a.unit_id
where l.token_hash = %(token_hash)s and l.expires_at > now() and a.disabled_at is null

-- name: count_failure
-- A lock that has run out begins a new count.
update account set
  failed_logins = case when locked_until <= now() then 1 else failed_logins + 1 end,
  locked_until = case
    when locked_until <= now() then null
    when failed_logins + 1 >= %(failures_max)s then now() + make_interval(secs => %(lock_s)s)
    else locked_until end
where id = %(id)s

-- name: admit
-- What held when the password was read must hold still: a lock or another password may have come in between.
update account set failed_logins = 0, locked_until = null
where id = %(id)s and password_hash = %(password_hash)s and disabled_at is null
  and coalesce(locked_until <= now(), true)

-- name: begin_login
insert into login (token_hash, account_id, kind, csrf_token, expires_at, address)
values (%(token_hash)s, %(account_id)s, %(kind)s, %(csrf_token)s, now() + make_interval(secs => %(live_s)s), %(address)s)

-- name: end_login
delete from login where token_hash = %(token_hash)s

-- name: end_logins
delete from login where account_id = %(id)s and token_hash is distinct from %(but)s

-- name: password_hash
select password_hash from account where id = %(id)s

-- name: set_password
update account set password_hash = %(password_hash)s, must_change_password = %(must_change)s,
  failed_logins = 0, locked_until = null
where id = %(id)s

-- name: insert
insert into account (unit_id, username, display_name, role, officer_id, password_hash, must_change_password)
values (%(unit_id)s, lower(%(username)s), %(display_name)s, %(role)s, %(officer_id)s, %(password_hash)s, %(must_change)s)
returning id

-- name: page
select id, username, display_name, role, unit_id, officer_id, disabled_at is not null as disabled,
  case when locked_until > now() then locked_until end as locked_until, created_at
from account
where (%(after)s::bigint is null or id < %(after)s)
order by id desc limit %(limit)s

-- name: one
select id, username, display_name, role, unit_id, officer_id, disabled_at is not null as disabled,
  case when locked_until > now() then locked_until end as locked_until, created_at
from account where id = %(id)s

-- name: change
update account set
  display_name = coalesce(%(display_name)s, display_name),
  role = coalesce(%(role)s, role),
  unit_id = coalesce(%(unit_id)s, unit_id),
  officer_id = case when %(officer_given)s then %(officer_id)s::bigint else officer_id end,
  disabled_at = case when %(disabled)s::boolean is null then disabled_at
    when %(disabled)s then coalesce(disabled_at, now()) end
where id = %(id)s

-- name: any
select exists (select from account) as there
