-- name: page
select id, parent_id, kind, name, pinyin, path from unit
where (%(after)s::bigint is null or id > %(after)s)
order by id limit %(limit)s

-- name: one
select id, parent_id, kind, name, pinyin, path from unit where id = %(id)s

-- name: by_name
-- Names are unique below one parent only: the highest wins.
select id, path from unit where name = %(name)s order by length(path), id limit 1

-- name: root
select id, parent_id, kind, name, pinyin, path from unit where tenant = %(tenant)s and parent_id is null

-- name: insert
-- The path is the trigger's.
insert into unit (tenant, parent_id, kind, name, pinyin, path)
values (%(tenant)s, %(parent_id)s, %(kind)s, %(name)s, %(pinyin)s, '')
returning id, parent_id, kind, name, pinyin, path

-- name: rename
update unit set name = %(name)s, pinyin = %(pinyin)s where id = %(id)s

-- name: hold
-- One move at a time: two that do not see each other would leave paths that follow from no parent. Readers go on.
lock table unit in share row exclusive mode

-- name: move
update unit set parent_id = %(parent_id)s where id = %(id)s

-- name: move_paths
update unit set path = %(to)s || substr(path, length(%(from)s) + 1) where path like %(from)s || '%%'
