-- An incident holds what was said to those whom it names as well, and what tells that they were there.
-- Nothing else runs while this does:
-- squawk-ignore-file require-concurrent-index-creation

-- The command that carries an order is told as the order.
create index message_target_rid on message_target (rid) where rid is not null;

-- What goes by rows and is held: `id` of a row of the table `subject`. What lasts began at most a day before. Of the floor log it is
-- what those concerned did, in which groups they were, and what is shown around the bursts.
create or replace view held as
with reach as (select * from incident_reach where not released),
concerned as not materialized (
  select h.incident_id, h.since, h.until, p.person from reach h
    cross join lateral (
      select d.did as person from device d where d.id = h.device_id
      union all select 'u-' || d.account_id from device d where d.id = h.device_id
      union all select 'u-' || a.id from account a where a.officer_id = h.officer_id) p
), tuned as not materialized (
  select c.incident_id, e.gid, greatest(e.at, c.since) as since, least(e.until, c.until) as until from concerned c
    cross join lateral (
      select gid, what, at, lead(at) over (partition by gid order by at, id) as until from floor_entry
        where who = c.person and what in ('joined', 'listening_in', 'parted')
          and at > c.since - interval '1 day' and at < c.until) e
    where e.what <> 'parted' and coalesce(e.until > c.since, true)
), spoken as not materialized (
  select b.id, b.gid, b.grant_number, b.started_at, b.ended_at, h.incident_id from reach h
    join burst b on b.device_id = h.device_id and b.started_at > h.since - interval '1 day'
      and b.started_at < h.until and b.ended_at > h.since
  union
  select b.id, b.gid, b.grant_number, b.started_at, b.ended_at, h.incident_id from reach h
    join burst b on b.device_id is null and b.officer_id = h.officer_id and b.started_at > h.since - interval '1 day'
      and b.started_at < h.until and b.ended_at > h.since
  union
  select b.id, b.gid, b.grant_number, b.started_at, b.ended_at, t.incident_id from tuned t
    join burst b on b.gid = t.gid and b.started_at > t.since - interval '1 day'
      and b.started_at < t.until and b.ended_at > t.since
)
select 'recording' as subject, r.id, h.incident_id from reach h
  join recording r on r.device_id = h.device_id and r.started_at > h.since - interval '1 day'
    and r.started_at < h.until and r.ended_at > h.since
union
select 'burst', id, incident_id from spoken
union
select 'viewing', v.id, h.incident_id from reach h
  join viewing v on v.device_id = h.device_id and v.asked_at > h.since - interval '1 day'
    and v.asked_at < h.until and coalesce(v.ended_at, v.seen_at, v.asked_at) >= h.since
union
select 'message', m.id, c.incident_id from concerned c
  join message m on m.created_at >= c.since and m.created_at < c.until
    and ('u-' || m.account_id = c.person
      or exists (select from message_target t where t.message_id = m.id and t.person = c.person))
union
select 'floor_entry', e.id, c.incident_id from concerned c
  join floor_entry e on e.who = c.person and e.at < c.until
    and (e.at >= c.since or e.at > c.since - interval '1 day' and e.what in ('joined', 'listening_in', 'parted'))
union
select 'floor_entry', e.id, s.incident_id from spoken s
  join floor_entry e on e.gid = s.gid and (e.grant_number = s.grant_number
    or e.at between s.started_at - interval '5 seconds' and s.ended_at + interval '5 seconds');
