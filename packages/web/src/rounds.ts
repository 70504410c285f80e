/** Rounds of reading again what has changed, one at a time, so that a slow answer is never asked for twice. */

/** The least time between two rounds, however fast the changes come. */
const roundMs = 250;

/** The least time for each request of a round: an account has twenty a second, for all its pages and programs together. */
const requestMs = 100;

/** Gathers what is noted into rounds of `read`; `made` counts all requests that there were. */
export function rounds<Noted>(
  empty: () => Noted,
  read: (noted: Noted) => Promise<void>,
  made: () => number,
): (note: (noted: Noted) => void) => void {
  let noted = empty();
  let due = false;
  let running = false;
  const run = async (): Promise<void> => {
    running = true;
    while (due) {
      const now = noted;
      noted = empty();
      due = false;
      const before = made();
      await read(now);
      const waitMs = Math.max(roundMs, (made() - before) * requestMs);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
    running = false;
  };
  return (note) => {
    note(noted);
    due = true;
    if (!running) void run();
  };
}
