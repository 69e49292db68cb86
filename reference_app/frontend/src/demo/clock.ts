/** Return the time of day, of now or of a time as `Date.now()` gives it. */
export function clock(at = Date.now()): string {
  return new Date(at).toLocaleTimeString("en-GB");
}
