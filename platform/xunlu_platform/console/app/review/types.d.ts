/** What a look back tells (docs/api.md, looking back). Times in answers are milliseconds after `from`, here they are UTC milliseconds. */

export type Explained = "on_air" | "back_filled" | "no_fix" | "no_signal" | "off_planned" | "off_unplanned" | "server_down";

/** A stretch of time. */
export interface Span {
  from_ms: number;
  to_ms: number;
}

export interface StateSpan extends Span {
  state: Explained;
  did: string;
}

export interface Stop extends Span {
  lon: number;
  lat: number;
}

export interface Worn {
  did: string;
  from: string;
  to: string;
}

export interface OfficerName {
  id: number;
  number: string;
  name: string;
  unit: string;
}

/** A piece of the answer. */
export interface PieceRecord {
  did: string;
  t: number[];
  lon: number[];
  lat: number[];
  speed: (number | null)[];
  late: boolean | null;
  flags?: (string | null)[];
  accuracy_m?: (number | null)[];
}

export interface SubjectRecord {
  subject: string;
  officer: OfficerName | null;
  worn: Worn[];
  pieces: PieceRecord[];
  states: StateSpan[];
  stops: Stop[];
  length_m: number;
  moving_s: number;
}

export interface TracksAnswer {
  from: string;
  to: string;
  tolerance_m: number;
  subjects: SubjectRecord[];
  next: string | null;
}

export type MomentKind =
  | "recording"
  | "burst"
  | "alarm"
  | "event"
  | "command"
  | "zone_enter"
  | "zone_leave"
  | "zone_dwell"
  | "incident"
  | "step_mark"
  | "viewing";

/** Something that happened; `at_ms` and `until_ms` are ours. `subject` is empty where it is nobody's alone: by the answer of what was heard, by us of what concerns several. */
export interface Moment {
  at: string;
  until: string | null;
  at_ms: number;
  until_ms: number;
  kind: MomentKind;
  subject: string;
  did: string | null;
  id: string;
  text: string;
  detail: Record<string, any>;
}
