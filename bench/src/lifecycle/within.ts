/** Gives `work` a time limit; past it rejects with what `explain` says of how far it came. */
export async function within<Answer>(
  limit: { readonly what: string; readonly seconds: number; readonly explain: () => Promise<string> },
  work: Promise<Answer>,
): Promise<Answer> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const explained = limit.explain().catch((error: unknown) => `unknown: ${String(error)}`);
      void explained.then((state) =>
        reject(new Error(`${limit.what} was given ${limit.seconds} s and is not done. ${state}`)),
      );
    }, limit.seconds * 1_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
