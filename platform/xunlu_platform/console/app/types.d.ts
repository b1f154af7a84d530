/** What the platform sends, as far as the console reads it. Times: `*_ms` UTC milliseconds, else ISO 8601. */

export interface Me {
  username: string;
  display_name: string;
  role: string;
  unit: { id: number; name: string; path: string };
  must_change_password: boolean;
  csrf_token: string;
  permissions: string[];
}

export interface Unit {
  id: number;
  parent_id: number | null;
  kind: "district" | "squad" | "team";
  name: string;
  pinyin: string;
  path: string;
}

export interface Telemetry {
  batt?: number;
  bs?: number;
  rec_left_s?: number;
  storage_free_mb?: number;
  storage_total_mb?: number;
  signal_dbm?: number;
  net?: string;
  temp_c?: number;
  outbox?: number;
  thinned?: number;
  clock_ms?: number;
  uptime_s?: number;
  tst?: number;
  lamps?: Record<string, boolean | null>;
}

/** One device of the stream; a delta carries `did` and what changed. */
export interface Live {
  did: string;
  kind: string;
  num: string | null;
  name: string | null;
  py: string | null;
  unit: number | null;
  serial: string;
  lat: number | null;
  lon: number | null;
  tms: number | null;
  acc: number | null;
  spd: number | null;
  cog: number | null;
  sat: number | null;
  bds: number | null;
  st: "online" | "offline" | "sleep" | null;
  st_ms: number | null;
  why: string | null;
  batt: number | null;
  rec: string | null;
  sos: number | null;
  interval_s: number | null;
  tele: Telemetry | null;
}

export interface Alarm {
  id: number;
  did: string;
  kind: string;
  severity: number;
  raised_ms: number;
  late: boolean;
  lat: number | null;
  lon: number | null;
  fix_ms: number | null;
  state: "new" | "acknowledged" | "resolved" | "false";
  officer: { id: number; number: string; name: string } | null;
  unit: { id: number; name: string } | null;
  acknowledged_by: string | null;
  acknowledged_ms: number | null;
  cancelled_ms: number | null;
  note: string;
}

export interface Command {
  rid: string;
  did: string;
  name: string;
  args: Record<string, unknown>;
  state: "queued" | "delivered" | "accepted" | "rejected" | "running" | "done" | "failed" | "expired";
  code: number | null;
  why: string | null;
  progress: number | null;
  result: Record<string, unknown> | null;
  created_at: string;
  finished_at?: string | null;
}

export interface DeviceEvent {
  id: number;
  did: string;
  type: string;
  at?: string;
  at_ms?: number;
  late?: boolean;
  payload?: Record<string, unknown>;
}

export interface TrackPoint {
  ms: number;
  lat: number;
  lon: number;
}
