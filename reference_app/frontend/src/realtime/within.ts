/** Return what a promise gives, or throw the sentence after so many milliseconds without it. */
export async function within<Value>(
  ms: number,
  promise: Promise<Value>,
  sentence: string,
): Promise<Value> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(sentence)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
