-- What was said, as people look for it.

-- name: page
-- With the incidents that hold them, as of recordings.
with page as (
select b.id, b.gid, coalesce(g.name, gu.name) as group_name, g.kind as group_kind, b.talker, d.did, b.grant_number as "grant",
  b.urgency, b.file, b.started_at, b.ended_at, b.size_bytes, b.sha256, b.lost, b.complete, b.registered_at,
  coalesce(o.name, a.display_name, b.talker) as talker_name,
  case when u.id is not null then jsonb_build_object('id', u.id, 'name', u.name) end as unit,
  case when o.id is not null then jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) end as officer,
  case when b.fix_at is not null then jsonb_build_object('lat', b.lat, 'lon', b.lon, 'fix_time', b.fix_at,
    'age_s', round(extract(epoch from b.started_at - b.fix_at), 1)) end as place
from burst b left join unit u on u.id = b.unit_id
  left join talk_group g on g.gid = b.gid left join unit gu on gu.id = g.unit_id
  left join device d on d.id = b.device_id left join officer o on o.id = b.officer_id
  left join account a on 'u-' || a.id = b.talker
where (%(id)s::text is null or b.id = %(id)s)
  and (%(gid)s::text is null or b.gid = %(gid)s)
  and (%(did)s::text is null or d.did = %(did)s)
  and (%(talker)s::text is null or b.talker = %(talker)s)
  and (%(officer)s::bigint is null or b.officer_id = %(officer)s)
  and (%(from)s::timestamptz is null or b.ended_at > %(from)s)
  and (%(to)s::timestamptz is null or b.started_at < %(to)s)
  and (%(after_at)s::timestamptz is null or (b.started_at, b.id) < (%(after_at)s, %(after_id)s))
order by b.started_at desc, b.id desc limit %(limit)s
), holds as (
  select h.id, jsonb_agg(distinct jsonb_build_object('id', i.id, 'title', i.title)) as held_by
  from held h left join incident i on i.id = h.incident_id
  where h.subject = 'burst' and h.id in (select id from page) group by h.id
)
select page.*, coalesce(holds.held_by, '[]') as held_by from page left join holds using (id)
order by page.started_at desc, page.id desc

-- name: heard_groups
-- Groups that something was said in, also those that are over.
select b.gid, coalesce(g.name, u.name, b.gid) as name, g.kind,
  g.gid is not null and g.closed_at is null and coalesce(g.until > now(), true) as open
from (
  select distinct gid from burst
    where (%(from)s::timestamptz is null or ended_at > %(from)s) and (%(to)s::timestamptz is null or started_at < %(to)s)
) b left join talk_group g using (gid) left join unit u on u.id = g.unit_id
order by name, gid limit %(limit)s

-- name: heard_talkers
-- Who said something: officers with whatever they wore, and everybody else by their name on the radio net.
select case when o.id is not null then jsonb_build_object('id', o.id, 'number', o.number, 'name', o.name) end as officer,
  min(b.talker) as talker, coalesce(o.name, min(coalesce(a.display_name, b.talker))) as name
from (
  select distinct talker, officer_id from burst
    where (%(from)s::timestamptz is null or ended_at > %(from)s) and (%(to)s::timestamptz is null or started_at < %(to)s)
) b left join officer o on o.id = b.officer_id left join account a on 'u-' || a.id = b.talker
group by o.id, o.number, o.name, case when o.id is null then b.talker end
order by name, talker limit %(limit)s

-- name: log
-- Of its grant, and what happened around it: who asked, was refused, waited; by the names of those who wore the devices then.
with entry as (
  select id, gid, at, what, who, by_whom as by, grant_number as "grant", urgency, priority from floor_entry
  where gid = %(gid)s and (grant_number = %(grant)s
    or at between %(started_at)s::timestamptz - interval '5 seconds' and %(ended_at)s::timestamptz + interval '5 seconds')
  order by at, id limit 500
), person as (
  select d.did as id, o.name, b.bound_at as since, coalesce(b.released_at, 'infinity') as until
    from device d join binding b on b.device_id = d.id join officer o on o.id = b.officer_id
    where d.did in (select who from entry union select by from entry)
  union all select 'u-' || id, display_name, '-infinity', 'infinity' from account
    where 'u-' || id in (select who from entry union select by from entry)
)
select e.*, w.name as who_name, b.name as by_name from entry e
  left join person w on w.id = e.who and e.at >= w.since and e.at < w.until
  left join person b on b.id = e.by and e.at >= b.since and e.at < b.until
order by e.at, e.id
