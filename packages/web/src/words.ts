/** What the console calls things: one word and one colour per state, with a letter where colour is too little. */

import type { Job, Replica, Unit } from '@assay/client';

interface StateWord {
  readonly label: string;
  readonly color: string;
  readonly text: string;
}

export const jobWords: Record<Job['state'], StateWord> = {
  created: {
    label: 'Awaiting payment',
    color: 'yellow',
    text: 'Nothing runs and nothing is charged until it is paid.',
  },
  funded: { label: 'Running', color: 'blue', text: 'The price is held in escrow while workers run the units.' },
  verified: { label: 'Verified', color: 'teal', text: 'All units agreed; the challenge window is open.' },
  completed: { label: 'Completed', color: 'green', text: 'The window closed and the workers were paid.' },
  disputed: { label: 'Disputed', color: 'orange', text: 'The money is frozen until an arbiter decides.' },
  refunded: { label: 'Refunded', color: 'gray', text: 'The money went back to the customer.' },
  cancelled: { label: 'Cancelled', color: 'gray', text: 'It was cancelled before it was paid.' },
};

export const unitWords: Record<Unit['state'], string> = {
  open: 'waiting for workers',
  running: 'running',
  revealing: 'results being opened',
  agreed: 'agreed',
  undecided: 'no verdict',
};

export const replicaWords: Record<Replica['state'], { readonly letter: string; readonly text: string }> = {
  leased: { letter: '…', text: 'running' },
  committed: { letter: 'C', text: 'committed to a result that is still sealed' },
  revealed: { letter: 'R', text: 'result opened' },
  agreed: { letter: '✓', text: 'agreed, will be paid' },
  disagreed: { letter: '✗', text: 'differed from the others, not paid' },
  failed: { letter: '!', text: 'failed' },
  lost: { letter: '–', text: 'lost: the worker went silent' },
  withdrawn: { letter: '–', text: 'withdrawn before a worker took it' },
};

/** `14:03:21` in the reader's time zone. */
export function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString();
}

/** Date and time in the reader's time zone. */
export function dayTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** The first characters of a hash or id, enough to tell two apart on a page. */
export function short(text: string): string {
  return text.length <= 14 ? text : `${text.slice(0, 12)}…`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
