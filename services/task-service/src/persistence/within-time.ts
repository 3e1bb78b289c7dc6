/** Waits for an answer of the database no longer than this; what comes later is dropped. */
export async function withinTime<T>(durationMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const message = `The database gave no answer for ${durationMs} ms.`;
      reject(Object.assign(new Error(message), { code: "ETIMEDOUT" }));
    }, durationMs);
  });
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
