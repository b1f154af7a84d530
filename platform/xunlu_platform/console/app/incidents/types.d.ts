/** Incidents as the platform sends them. Times: ISO 8601. */

export interface SubjectName {
  subject: string;
  name: string;
  number: string | null;
}

/** An incident of a list. */
export interface Incident {
  id: number;
  title: string;
  from: string;
  to: string;
  subjects: SubjectName[];
  /** GeoJSON feature, WGS-84. */
  place: any;
  alarm_id: number | null;
  unit: { id: number; name: string };
  created_at: string;
  created_by: string | null;
  closed_at: string | null;
  released_at: string | null;
  marks_count: number;
}

export interface Note {
  id: number;
  at: string;
  author: string;
  kind: "note" | "change" | "close" | "reopen";
  text: string;
  changed: Record<string, [unknown, unknown]>;
}

export interface Mark {
  id: number;
  at: string;
  subject: string | null;
  text: string;
  made_at: string;
  author: string;
  struck_at: string | null;
  struck_by: string | null;
}

/** What a rule erased: of positions whole hours. */
export interface Erased {
  what: "recording" | "burst" | "position";
  did: string | null;
  name: string | null;
  at: string;
  until: string;
  erased_at: string;
}

export interface WholeIncident extends Incident {
  notes: Note[];
  marks: Mark[];
  erased: Erased[];
}

export interface Share {
  id: number;
  label: string;
  made_at: string;
  author: string;
  expires_at: string;
  revoked_at: string | null;
  revoked_by: string | null;
  openings_count: number;
  openings: { at: string; address: string | null; what: string }[];
}

export interface Export {
  id: string;
  asked_at: string;
  author: string;
  language: string;
  state: "queued" | "running" | "done" | "failed" | "erased";
  done_bytes: number;
  total_bytes: number;
  size_bytes: number | null;
  sha256: string | null;
  why: string | null;
}
