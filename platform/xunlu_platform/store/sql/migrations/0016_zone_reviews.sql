-- A second look at zones ends where the past is as it was, goes on in pieces, and takes turns.

-- The newest late fix, the present where nobody knows: the first long silence after it ends the look.
alter table zone_due add column until timestamptz not null default now();
-- How far a look has got, as in `zone_watch`. Null: it has not begun.
alter table zone_due add column state jsonb;
alter table zone_due add column noted_at timestamptz not null default now();
