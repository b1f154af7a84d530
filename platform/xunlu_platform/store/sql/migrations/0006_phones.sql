-- Duty telephones: the page `/phone` of an account is a device of its own, beside the recorder that its officer wears.
-- Nothing else runs while this does:
-- squawk-ignore-file ban-drop-constraint, ban-drop-function, constraint-missing-not-valid, adding-foreign-key-constraint
-- squawk-ignore-file require-concurrent-index-creation, require-concurrent-index-deletion

alter table device drop constraint device_kind_check;
alter table device add constraint device_kind_check check (kind in ('recorder', 'station', 'tracker', 'phone'));
-- Whose telephone it is: nobody else reports as it. One for each account, whatever telephone the page is open on.
alter table device add column account_id bigint references account;
alter table device add constraint device_phone_check check ((kind = 'phone') = (account_id is not null));
create unique index device_account on device (account_id);

-- An officer wears one recorder and carries one telephone.
alter table binding add column phone boolean not null default false;
drop index binding_officer_now;
create unique index binding_officer_now on binding (officer_id, phone) where released_at is null;

-- Somebody of the role `officer` sees both. As the owner: the policy of `binding` asks that of `device`, which asks this.
create function scope_devices() returns bigint[] language sql stable security definer set search_path = public, pg_temp as $$
  select coalesce(array_agg(device_id), '{}') from binding where officer_id = scope_officer() and released_at is null
$$;
alter policy device_scope on device using (unit_id = any ((select scope_units())::bigint[])
  and ((select scope_officer()) is null or id = any ((select scope_devices())::bigint[])));
drop function scope_worn();

-- An account is where its telephone is; without one, where its officer's recorder is.
create or replace view talk_person with (security_invoker = true) as
select d.did as person, d.did, left(coalesce(o.name, d.did), 64) as name, o.number, coalesce(o.unit_id, d.unit_id) as unit_id,
    o.id as officer_id, d.id as device_id, null::bigint as account_id
  from device d
    left join binding b on b.device_id = d.id and b.released_at is null
    left join officer o on o.id = b.officer_id and o.active
  where d.status = 'approved' and d.kind = 'recorder'
union all
select 'u-' || a.id, coalesce(p.did, d.did), left(a.display_name, 64), o.number, coalesce(o.unit_id, a.unit_id), o.id,
    coalesce(p.id, d.id), a.id
  from account a
    left join officer o on o.id = a.officer_id and o.active
    left join device p on p.account_id = a.id and p.status = 'approved'
    left join binding b on b.officer_id = o.id and b.released_at is null and not b.phone
    left join device d on d.id = b.device_id and d.status = 'approved' and d.kind = 'recorder'
  where a.disabled_at is null and a.role in ('administrator', 'supervisor', 'dispatcher', 'officer');
