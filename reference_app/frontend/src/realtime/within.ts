import { Timer } from "./timer";

/**
 * Return what a promise gives, or throw the sentence after so many milliseconds without it.
 *
 * Who clears the timer is told neither, unless the promise gives something.
 */
export async function within<Value>(
  ms: number,
  promise: Promise<Value>,
  sentence: string,
  timer = new Timer(),
): Promise<Value> {
  const late = new Promise<never>((_, reject) => {
    timer.set(ms, () => reject(new Error(sentence)));
  });
  return Promise.race([promise, late]).finally(() => timer.clear());
}
