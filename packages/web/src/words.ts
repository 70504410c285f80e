/** What the console calls things: one word per state, with a letter where colour is too little. */

import type { FactLine, Job, Replica, Unit } from '@assay/client';

interface StateWord {
  readonly label: string;
  readonly text: string;
}

export const jobWords: Record<Job['state'], StateWord> = {
  created: {
    label: 'Awaiting payment',
    text: 'Nothing runs and nothing is charged until it is paid.',
  },
  funded: { label: 'Running', text: 'The price is held in escrow while workers run the units.' },
  verified: { label: 'Verified', text: 'All units agreed; the challenge window is open.' },
  completed: { label: 'Completed', text: 'The window closed and the workers were paid.' },
  disputed: { label: 'Disputed', text: 'The money is frozen until an arbiter decides.' },
  refunded: { label: 'Refunded', text: 'The money went back to the customer.' },
  cancelled: { label: 'Cancelled', text: 'It was cancelled before it was paid.' },
};

export const unitWords: Record<Unit['state'], string> = {
  open: 'waiting for workers',
  running: 'running',
  revealing: 'results being opened',
  agreed: 'agreed',
  undecided: 'no verdict',
};

interface ReplicaWord {
  readonly letter: string;
  readonly label: string;
  readonly text: string;
}

/** In the order of a replica's life. */
export const replicaWords: Record<Replica['state'], ReplicaWord> = {
  leased: { letter: '…', label: 'running', text: 'running' },
  committed: { letter: 'C', label: 'committed', text: 'committed to a result that is still sealed' },
  revealed: { letter: 'R', label: 'opened', text: 'result opened, waiting for the verdict' },
  agreed: { letter: '✓', label: 'agreed', text: 'agreed with the others' },
  disagreed: { letter: '✗', label: 'caught', text: 'differed from the others and is not paid' },
  failed: { letter: '!', label: 'failed', text: 'failed' },
  lost: { letter: '–', label: 'lost', text: 'lost: the worker went silent' },
  withdrawn: { letter: '–', label: 'withdrawn', text: 'withdrawn before a worker took it' },
};

/** What the ledger's facts mean, by `contract.name`. */
const factWords: Readonly<Record<string, string>> = {
  'Marketplace.ContractListed': 'The job and its terms were listed.',
  'Contract.ContractFunded': 'The money is in escrow; work may begin.',
  'Contract.WorkSubmitted': 'Verdicts were sealed by their Merkle roots.',
  'Contract.ContractVerified': 'All units agreed.',
  'EscrowTrigger.ChallengeTimerStarted': 'The challenge window opened.',
  'EscrowTrigger.ChallengeWindowVoted': 'An organisation voted for bounds of the challenge window.',
  'EscrowTrigger.ChallengeWindowSet': 'Enough organisations voted alike: these bounds hold from now on.',
  'EscrowTrigger.PayoutTriggered': 'The window closed; the payout was released.',
  'EscrowTrigger.RefundTriggered': 'The refund was released.',
  'Contract.ContractCompleted': 'The job is completed.',
  'Contract.ContractDisputed': 'The customer raised a dispute.',
  'Contract.ContractRefunded': 'The job was refunded.',
  'Contract.ContractCancelled': 'The job was cancelled.',
  'Contract.DetailsSealed': 'Details were sealed for the channel’s members.',
  'Marketplace.ContractClaimed': 'A worker claimed the job.',
  'Reputation.ResultRecorded': 'A worker’s record was updated.',
  'Reputation.ResultsRecorded': 'The workers’ records were updated.',
  'Reputation.ReputationSlashed': 'A breach was added to a worker’s record.',
};

/** A fact in a sentence; its own name where there is none. */
export function factText(fact: FactLine): string {
  return factWords[`${fact.contract}.${fact.name}`] ?? fact.name;
}

/** What came of a transaction, by its validation code as Fabric numbers them. */
const outcomeWords: Readonly<Record<number, string>> = {
  0: 'valid',
  4: 'creator’s signature is wrong',
  9: 'repeated id',
  10: 'endorsements are missing',
  11: 'conflict: it read what another changed',
  12: 'conflict: rows came or went',
};

export function outcomeText(code: number): string {
  return outcomeWords[code] ?? `not valid (code ${code})`;
}

/** `14:03:21` in the reader's time zone. */
export function clockTime(iso: string): string {
  return new Date(iso).toLocaleTimeString(undefined, { hourCycle: 'h23' });
}

/** Date and time in the reader's time zone. */
export function dayTime(iso: string): string {
  return new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

function dayOf(iso: string): string {
  return new Date(iso).toLocaleDateString(undefined, { dateStyle: 'medium' });
}

/** The day, where it is another than that of what came before. */
export function dayText(iso: string, before?: string): string | undefined {
  return before === undefined || dayOf(before) !== dayOf(iso) ? dayOf(iso) : undefined;
}

/** The time of what stands in a list, with its day where that changes. */
export function timeText(iso: string, before?: string): string {
  return [dayText(iso, before), clockTime(iso)].filter((part) => part !== undefined).join(', ');
}

/** A metric in few characters: rounded where it has more, since one that is cut off may be another number. */
export function metricText(metric: string): string {
  if (metric.length <= 10) return metric;
  return `≈ ${Number(metric).toPrecision(6)}`;
}

/** `1 file`, `2 files`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `2 h 5 min`, `40 s`: a time that is left. */
export function leftText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Enough of a hash or id to tell two apart on a page; an id begins with its time, so that its end tells more. */
export function short(text: string): string {
  const [, kind, body = ''] = /^([a-z]{2,4}_)([0-9a-f]{32})$/.exec(text) ?? [];
  if (kind !== undefined) return `${kind}…${body.slice(-6)}`;
  return text.length <= 14 ? text : `${text.slice(0, 12)}…`;
}

export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 * 1024) return `${(bytes / 1024).toFixed(1)} KiB`;
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** The most rows of one list that a page still shows, and the most jobs. */
export const mostRows = 5_000;
export const mostJobs = 100;

/** What is to be said under a list that may not be whole; nothing where it is. */
export function cutText(rows: number, what: string, most: number = mostRows): string | undefined {
  if (rows < most) return undefined;
  return `No more than ${most.toLocaleString('en')} ${what} are shown and counted here; the API lists all of them.`;
}
