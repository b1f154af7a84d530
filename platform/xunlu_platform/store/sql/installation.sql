-- name: root
select id, name, path from unit where tenant = %(tenant)s and parent_id is null

-- name: ensure_unit
-- Again and again the same unit; the path is the trigger's.
insert into unit (tenant, parent_id, kind, name, pinyin, path)
values (%(tenant)s, %(parent_id)s, %(kind)s, %(name)s, %(pinyin)s, '')
on conflict (parent_id, name) do update set name = excluded.name
returning id

-- name: ensure_root
insert into unit (tenant, parent_id, kind, name, pinyin, path)
values (%(tenant)s, null, 'district', %(name)s, %(pinyin)s, '')
on conflict do nothing

-- name: ensure_officer
insert into officer (tenant, unit_id, number, name, pinyin)
values (%(tenant)s, %(unit_id)s, %(number)s, %(name)s, %(pinyin)s)
on conflict (tenant, number) do update set number = excluded.number
returning id

-- name: ensure_expected
insert into expected_device (serial, vendor, model, unit_id, officer_id, inspection_report)
values (%(serial)s, %(vendor)s, %(model)s, %(unit_id)s, %(officer_id)s, %(inspection_report)s)
on conflict do nothing

-- name: ensure_account
-- Nothing comes back when the account was there already: nobody learns its password again.
insert into account (unit_id, username, display_name, role, officer_id, password_hash, must_change_password)
values (%(unit_id)s, %(username)s, %(display_name)s, %(role)s, %(officer_id)s, %(password_hash)s, %(must_change)s)
on conflict (username) do nothing returning id

-- name: rostered
select exists (select from shift) as shifts
