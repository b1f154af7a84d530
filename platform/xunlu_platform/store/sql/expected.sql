-- name: page
select e.serial, e.vendor, e.model, jsonb_build_object('id', u.id, 'name', u.name) as unit,
  o.number as officer_number, e.inspection_report, e.imported_at
from expected_device e join unit u on u.id = e.unit_id left join officer o on o.id = e.officer_id
where (%(after_vendor)s::text is null or (e.vendor, e.serial) > (%(after_vendor)s, %(after_serial)s))
order by e.vendor, e.serial limit %(limit)s

-- name: put
insert into expected_device (serial, vendor, model, unit_id, officer_id, inspection_report)
values (%(serial)s, %(vendor)s, %(model)s, %(unit_id)s, %(officer_id)s, %(inspection_report)s)
on conflict (vendor, serial) do update set model = excluded.model, unit_id = excluded.unit_id,
  officer_id = excluded.officer_id, inspection_report = excluded.inspection_report, imported_at = now()

-- name: one
select e.serial, e.vendor, e.model, e.unit_id, e.officer_id, e.inspection_report from expected_device e
where e.vendor = %(vendor)s and e.serial = %(serial)s

-- name: delete
delete from expected_device where vendor = %(vendor)s and serial = %(serial)s
