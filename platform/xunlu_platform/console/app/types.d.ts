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
  /** How many watch; null when nothing is sent. */
  live: number | null;
  /** Whether the server records it now. */
  srec: boolean;
  /** The talk group in which its wearer talks now. */
  talk: string | null;
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
  /** Name of the zone that it is about. */
  zone: string | null;
  /** Its kind. */
  zone_kind: import("./zones/zones.js").Kind | null;
  acknowledged_by: string | null;
  acknowledged_ms: number | null;
  cancelled_ms: number | null;
  /** When later fixes showed that it was none. */
  withdrawn_ms: number | null;
  note: string;
}

export interface Command {
  id: string;
  did: string;
  name: string;
  args: Record<string, unknown>;
  state: "queued" | "delivered" | "accepted" | "rejected" | "running" | "done" | "failed" | "expired";
  code: number | null;
  why: string | null;
  progress: number | null;
  result: Record<string, unknown> | null;
  created_at: string;
  created_by?: string | null;
  expires_at?: string | null;
  delivered_at?: string | null;
  accepted_at?: string | null;
  running_at?: string | null;
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

/** Who wore a device, or which device an officer wore. */
export interface Binding {
  did?: string;
  officer?: { id: number; number: string; name: string };
  bound_at: string;
  bound_by: string | null;
  released_at: string | null;
  released_by: string | null;
}

/** A device of REST. */
export interface DeviceRecord {
  did: string;
  kind: "recorder" | "station" | "tracker" | "phone";
  serial: string;
  vendor: string;
  model: string;
  status: "pending" | "approved" | "disabled";
  unit: { id: number; name: string } | null;
  officer: { id: number; number: string; name: string } | null;
  state: { availability: Live["st"]; sid: number; at: string | null; why: string | null } | null;
  position: {
    lat: number;
    lon: number;
    fix_time: string;
    age_s: number;
    accuracy_m: number | null;
    speed_mps: number | null;
    course_deg: number | null;
    sat: number | null;
    bds: number | null;
  } | null;
  telemetry: (Telemetry & { at?: string }) | null;
  recording: string | null;
  birth?: { fw?: string; caps?: string[]; [name: string]: unknown } | null;
  inspection_report?: string | null;
  shadow?: { desired: Record<string, unknown> | null; desired_version: number; reported: { version: number; config: Record<string, unknown>; why?: string | null } | null; reported_at: string | null } | null;
  bindings?: Binding[];
  created_at?: string;
}

export interface Officer {
  id: number;
  unit_id: number;
  number: string;
  name: string;
  pinyin: string;
  active: boolean;
  device: string | null;
  on_shift_until: string | null;
}

export interface User {
  id: number;
  username: string;
  display_name: string;
  role: string;
  unit_id: number;
  officer_id: number | null;
  disabled: boolean;
  locked_until: string | null;
  created_at: string;
}

/** An alarm of REST. */
export interface AlarmRecord {
  id: number;
  did: string;
  kind: string;
  severity: number;
  raised_at: string;
  late: boolean;
  lat: number | null;
  lon: number | null;
  cancelled_at: string | null;
  state: Alarm["state"];
  officer: { id: number; number: string; name: string } | null;
  unit: { id: number; name: string } | null;
  zone: { id: number; name: string; kind: string } | null;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  closed_by: string | null;
  closed_at: string | null;
  withdrawn_at: string | null;
  note: string;
}

/** Leave to play one path. */
export interface LiveGrant {
  did: string;
  whep: string;
  token: string;
  /** The row of the audit. */
  viewing: string;
  live: boolean;
  /** The command that asks the recorder to publish, when it did not yet. */
  command: string | null;
  expires_s: number;
}

/** A finished file of the server's own recording. */
export interface ServerRecording {
  id: string;
  did: string;
  officer: { id: number; number: string; name: string } | null;
  why: "hand" | "sos" | "always";
  started_at: string;
  ended_at: string;
  size_bytes: number;
  sha256: string;
  gaps: { from_ms: number; to_ms: number }[];
  complete: boolean;
}

/** Somebody looked at a live picture. */
export interface ViewingRecord {
  id: string;
  did: string;
  username: string;
  asked_at: string;
  began_at: string | null;
  ended_at: string | null;
  sent_bytes: number;
  why: string | null;
}

/** Leave to join the radio net. */
export interface TalkLeave {
  url: string;
  token: string;
  me: string;
  /** The group that fits best. */
  main: string | null;
  expires_s: number;
}

/** A participant of the radio net as others see it. */
export interface TalkPeer {
  id: string;
  name: string;
  number?: string;
  did?: string;
}

/** A group that this desk may tune to. */
export interface TalkGroup {
  gid: string;
  name: string;
  kind: "squad" | "standing" | "temporary" | "private" | "broadcast" | "emergency";
  duplex?: boolean;
  may_talk?: boolean;
  /** Whether we belong to it. */
  member?: boolean;
  /** UTC seconds after which it is over. */
  until?: number;
}

/** Who has the floor of a group. */
export interface Talk {
  grant: number;
  talker: TalkPeer;
  urgency: number;
  since_ms: number;
}

/** A talk group of REST. */
export interface TalkGroupRecord {
  gid: string;
  name: string;
  kind: TalkGroup["kind"];
  unit: { id: number; name: string };
  duplex: boolean;
  created_at: string;
  until: string | null;
  members: { id: string; name: string; number: string | null; did: string | null; listener: boolean }[];
  talker: { id: string; name: string | null; did: string | null; urgency: number; until: string } | null;
}

/** An order by text; without text it is a voice note, whose sound may be gone by a rule. */
export interface Order {
  id: string;
  to: string;
  below: boolean;
  text: string | null;
  voice: { duration_s: number; size_bytes: number; sha256: string } | null;
  speak: boolean;
  by: string;
  created_at: string;
  targets: { id: string; name: string; state: "waiting" | "delivered" | "read" | "failed"; delivered_at: string | null; read_at: string | null; why: string | null }[];
}

/** A line of the floor log; names of those who wore the devices then. */
export interface FloorEntry {
  at: string;
  what: string;
  who: string;
  who_name: string | null;
  by: string | null;
  by_name: string | null;
  grant: number | null;
}

/** What bursts of a time can be narrowed down to. */
export interface Heard {
  groups: { gid: string; name: string; kind: TalkGroup["kind"] | null; open: boolean }[];
  talkers: { officer: { id: number; number: string; name: string } | null; talker: string; name: string }[];
}

/** What somebody said while they had the floor. */
export interface Burst {
  id: string;
  gid: string;
  group_name: string | null;
  talker: string;
  talker_name: string;
  did: string | null;
  officer: { id: number; number: string; name: string } | null;
  grant: number;
  urgency: number;
  started_at: string;
  ended_at: string;
  place: { lat: number; lon: number; fix_time: string; age_s: number } | null;
  size_bytes: number;
  sha256: string;
  lost: number;
  complete: boolean;
}
