/** A job and how it is listed, for tests of contracts. */

export const job = `job_${'1'.repeat(32)}`;

export const hash = (letter: string): string => letter.repeat(64);

/** The details that `listContract` takes. */
export const details: string = JSON.stringify({
  manifestHash: hash('a'),
  bundleDigest: hash('b'),
  termsHash: hash('c'),
  requirementsHash: null,
  region: 'eu',
  runner: 'python',
  verification: 'exact',
  redundancy: 3,
  units: 1,
  storage: 'disk:eu',
});
