const RFC_3339 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i;

/** Milliseconds of a time in RFC 3339; `null` for anything else, for days that do not exist, and beyond milliseconds. */
export function parseTime(text: string): number | null {
  const [, date, clock, fraction = "", offset = ""] = RFC_3339.exec(text) ?? [];
  if (date === undefined || clock === undefined || /[1-9]/.test(fraction.slice(3))) return null;
  const utc = Date.parse(`${date}T${clock}.${fraction.slice(0, 3).padEnd(3, "0")}Z`);
  // The parser takes the 30th of February for the 2nd of March, and 24:00 for the next day.
  if (Number.isNaN(utc) || !new Date(utc).toISOString().startsWith(`${date}T${clock}`)) return null;
  const offsetMs = offsetMsOf(offset);
  return offsetMs === null || utc < 0 ? null : utc - offsetMs;
}

function offsetMsOf(offset: string): number | null {
  if (offset.toUpperCase() === "Z") return 0;
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(4))];
  if (hours > 23 || minutes > 59) return null;
  return (offset.startsWith("-") ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}
