-- A look back asks for the alarms that an officer had raised before, whatever device they wore.

-- squawk-ignore-file require-concurrent-index-creation

create index alarm_officer on alarm (officer_id, raised_at desc);
