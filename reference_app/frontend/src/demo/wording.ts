import type { OmittedFrame, Status } from "../realtime";

/** How a status is shown: in words, and in a colour that says nothing else. */
export interface Wording {
  tone: "good" | "busy" | "bad";
  text: string;
  /** What changes with the time: to be seen, not to be read out each second. */
  countdown?: string;
}

/** What is said of a list that is not complete, because a resume was not `recovered`. */
export const MISSED = "Some earlier messages are missing, because the server no longer has them.";

/** Say in words for everybody what a client is doing, and complains of; `now` as `Date.now()`. */
export function wordingOf(status: Status, now: number, complaint?: string): Wording {
  switch (status.state) {
    case "connecting":
      return { tone: "busy", text: "Connecting …" };
    case "open":
      if (complaint) return { tone: "busy", text: `Connected. ${sentence(complaint)}` };
      return { tone: "good", text: "Connected" };
    case "offline":
      return { tone: "busy", text: "Offline. Waits for a network." };
    case "waiting":
      return {
        tone: "busy",
        text: sentence(status.sentence),
        countdown: countdown(status.retryAt - now),
      };
    case "stopped":
      return { tone: "bad", text: closureWords(status) };
  }
}

/** What a person says of a closure, beside its code. */
export function closureWords(status: Extract<Status, { code: number }>): string {
  const next = status.state === "waiting" ? "Reconnecting." : afterwards(status.needsSignIn);
  return `${sentence(status.sentence)} ${next}`;
}

/** Say what is there in the place of an entry that was too large. */
export function omittedWords({ size }: OmittedFrame): string {
  return `A message of ${sizeWords(size)} was too large to be sent.`;
}

/** Name what an event is about, by the keys that the server's own events have. */
export function summaryOf(data: unknown): string {
  const { resource_name, document_id } = (data ?? {}) as Record<string, unknown>;
  return String(resource_name ?? document_id ?? JSON.stringify(data));
}

const UNITS = ["kB", "MB", "GB"];

/** Round a size to what a person says of it: 2,000,000 bytes are 2 MB. */
function sizeWords(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  let [number, unit] = [bytes / 1_000, 0];
  // What would be rounded to 1,000 is 1 of the next.
  while (number >= 999.5 && unit < UNITS.length - 1) [number, unit] = [number / 1_000, unit + 1];
  const digits = { maximumFractionDigits: number < 10 ? 1 : 0 };
  return `${number.toLocaleString("en", digits)} ${UNITS[unit]}`;
}

function countdown(ms: number): string {
  return `Reconnecting in ${Math.max(0, Math.ceil(ms / 1_000))} s.`;
}

function afterwards(needsSignIn: boolean): string {
  return needsSignIn ? "Sign in again." : "Not reconnecting.";
}

/** Meanings of codes are parts of sentences. */
function sentence(words: string): string {
  const text = words.charAt(0).toUpperCase() + words.slice(1);
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}
