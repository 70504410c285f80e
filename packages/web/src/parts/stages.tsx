/** The life of a job as a line of steps, with the time of each. */

import type { Job } from '@assay/client';
import { useEffect, useState } from 'react';
import { clockTime, dayText, jobWords, leftText } from '../words.ts';

interface Step {
  readonly label: string;
  readonly at: string | null;
}

const endings: Partial<Record<Job['state'], string>> = {
  refunded: 'Refunded',
  cancelled: 'Cancelled',
  disputed: 'Disputed',
};

function stepsOf(job: Job): readonly Step[] {
  const submitted = { label: 'Submitted', at: job.createdAt };
  const ending = endings[job.state];
  if (ending !== undefined) {
    const passed = [
      { label: 'Paid', at: job.fundedAt },
      { label: 'Verified', at: job.verifiedAt },
    ].filter(({ at }) => at !== null);
    return [submitted, ...passed, { label: ending, at: job.settledAt ?? job.dispute?.openedAt ?? null }];
  }
  return [
    submitted,
    { label: 'Paid', at: job.fundedAt },
    { label: 'Verified', at: job.verifiedAt },
    { label: 'Paid out', at: job.state === 'completed' ? job.settledAt : null },
  ];
}

export function Stages({ job }: { job: Job }) {
  const steps = stepsOf(job);
  const stopped = endings[job.state] !== undefined;
  const next = steps.findIndex(({ at }) => at === null);
  return (
    <ol className="stages" aria-label="The life of this job">
      {steps.map((step, index) => {
        const last = index === steps.length - 1;
        const stage = stopped && last ? 'stopped' : step.at !== null ? 'done' : index === next ? 'now' : 'ahead';
        return (
          <li key={step.label} className="stage" data-stage={stage} aria-current={stage === 'now' ? 'step' : undefined}>
            <b>{step.label}</b>
            <br />
            <span className="figures">
              {step.at !== null ? (
                <StepTime at={step.at} before={steps[index - 1]?.at ?? undefined} />
              ) : (
                stage === 'now' && waitsFor[job.state]
              )}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** A window may be open for a day and more: a time alone would look like the same day's. */
function StepTime({ at, before }: { at: string; before: string | undefined }) {
  const day = dayText(at, before);
  return (
    <>
      {clockTime(at)}
      {day !== undefined && <br />}
      {day}
    </>
  );
}

/** When the step that is due comes. */
const waitsFor: Partial<Record<Job['state'], string>> = {
  created: 'waits for you',
  funded: 'waits for workers',
  verified: 'when the window closes',
};

/** What the job's state means, with the time that is left of the challenge window. */
export function StateSentence({ job }: { job: Job }) {
  const open = job.state === 'verified' && job.releaseDueAt !== null;
  const [now, setNow] = useState(() => new Date().getTime());
  useEffect(() => {
    if (!open) return undefined;
    const timer = setInterval(() => setNow(new Date().getTime()), 1000);
    return () => clearInterval(timer);
  }, [open]);
  const leftMs = open ? new Date(job.releaseDueAt).getTime() - now : 0;
  const closing = leftMs > 0 ? ` It closes in ${leftText(leftMs)}; until then you can dispute the result.` : '';
  return (
    <>
      {jobWords[job.state].text}
      {open && closing}
    </>
  );
}
