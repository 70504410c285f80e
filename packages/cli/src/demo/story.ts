/** Tells the story of one settled job from what the API answers: nothing here is known in advance. */

import type { Client, FactLine, Job, MoneyLine, Replica, Unit } from '@assay/client';
import { add, formatMoney, money as moneyOf, moneyFromJson } from '@assay/core';
import { columns, paint, plain, print } from '../terminal.ts';
import { moneyText } from '../commands/jobs.ts';

export interface Story {
  readonly job: Job;
  readonly units: readonly Unit[];
  readonly money: readonly MoneyLine[];
  readonly facts: readonly FactLine[];
}

/** Reads everything that the story tells. */
export async function readStory(client: Client, jobId: string): Promise<Story> {
  const [job, units, money, facts] = await Promise.all([
    client.getJob(jobId),
    client.listUnits(jobId, { limit: 200 }),
    client.listMoney(jobId, { limit: 200 }),
    client.listFacts(jobId, { limit: 200 }),
  ]);
  return { job, units: units.items, money: money.items, facts: facts.items };
}

/** Prints the story. */
export function tell(story: Story): void {
  const { job } = story;
  print(`\n${paint('bold', `━━ ${plain(job.name)} `.padEnd(78, '━'))}`);
  asked(job);
  verdicts(story.units);
  acrossRuntimes(story.units);
  lies(story.units);
  moneyTimeline(story);
  ledgerFacts(story.facts);
}

function heading(text: string): void {
  print(`\n${paint('cyan', text)}`);
}

function asked(job: Job): void {
  const { manifest, price, counts } = job;
  const verification = manifest['verification'] as { type?: string; metric_name?: string; tolerance?: number };
  const by =
    verification.type === 'metric'
      ? `${verification.metric_name ?? 'metric'} within ${String(verification.tolerance)}`
      : 'equal bit for bit';
  heading('Asked for');
  print(
    columns([
      ['program', `${String(manifest['entry_point'])} on ${String(manifest['runner'])}`],
      ['split into', `${counts.units} units, ${job.redundancy} agreeing replicas of each`],
      ['agreement', by],
      ['price', `${moneyText(price.perReplica)} for each accepted replica`],
      [
        'cap',
        `${moneyText(price.cap)}, the most that the job can cost; the budget was ${String(manifest['budget_usd'])} USD`,
      ],
      ['charged', chargedText(price)],
      ['manifest', `sha256 ${job.manifestHash}`],
    ]),
  );
}

/** The provider's least payment can be more than the cap; what is not spent returns either way. */
function chargedText({ charged, cap }: Job['price']): string {
  const more = charged !== null && BigInt(charged.minor) > BigInt(cap.minor);
  return `${moneyText(charged)} before the work${more ? ', the least that the payment provider takes' : ''}; what is not spent returns`;
}

function unitName(unit: Unit): string {
  return unit.kind === 'merge' ? 'merge' : `unit ${unit.ordinal}`;
}

function replicaText(replica: Replica): string {
  const mark = replica.state === 'agreed' ? '✓' : replica.state === 'disagreed' ? '✗' : '–';
  return `${mark} ${plain(replica.workerName)}`;
}

function verdicts(units: readonly Unit[]): void {
  heading('Who ran what, and the verdict');
  print(
    columns(
      units.map((unit) => [
        unitName(unit),
        unit.state,
        unit.metric ?? unit.agreedDigest?.slice(0, 12) ?? '',
        unit.replicas.map(replicaText).join('  '),
      ]),
    ),
  );
}

/** Results that agree although different runtimes made them. */
function acrossRuntimes(units: readonly Unit[]): void {
  for (const unit of units) {
    const agreed = unit.replicas.filter((one) => one.state === 'agreed');
    const classes = Map.groupBy(agreed, (one) => one.machineClass);
    if (classes.size < 2) continue;
    const groups = [...classes].map(
      ([name, ones]) => `${ones.map((one) => plain(one.workerName)).join(' and ')} on ${name.slice(0, 12)}`,
    );
    print(`  ${unitName(unit)} agrees across runtimes: ${groups.join(', ')}`);
  }
}

/** The lies that were caught: who told them, who replaced them, and that nothing was paid for them. */
function lies(units: readonly Unit[]): void {
  const caught = units.flatMap((unit) =>
    unit.replicas.filter((one) => one.state === 'disagreed').map((one) => ({ unit, one })),
  );
  if (caught.length === 0) return;
  heading('Lies that were caught');
  for (const { unit, one } of caught) {
    const agreed = unit.replicas.filter((other) => other.state === 'agreed');
    const later = agreed.findLast((other) => other.claimedAt > one.claimedAt);
    const replaced = agreed.length >= 3 && later ? `, replaced by ${plain(later.workerName)}` : '';
    const value = one.metric ?? one.digest?.slice(0, 12) ?? '';
    print(`  ${unitName(unit)}: ${plain(one.workerName)} said ${value}${replaced}; paid ${moneyText(one.paid)}`);
  }
}

function moneyTimeline(story: Story): void {
  heading('Money');
  print(
    columns(
      story.money.map((line) => [
        line.at.slice(11, 23),
        moneyText(line.amount).padStart(9),
        plain(line.text),
        `${line.from} → ${line.to}`,
      ]),
    ),
  );
  const { price } = story.job;
  const commission = story.money
    .filter((line) => line.to.includes('commission'))
    .reduce((sum, line) => add(sum, moneyFromJson(line.amount)), moneyOf('USD', 0n));
  print(
    `  ${moneyText(price.charged)} charged = ${moneyText(price.spent)} for accepted replicas` +
      ` (${formatMoney(commission)} of it commission) + ${moneyText(price.refunded)} returned`,
  );
}

function ledgerFacts(facts: readonly FactLine[]): void {
  heading('On the ledger');
  print(columns(facts.map((fact) => [`block ${fact.block}`, `${fact.contract}.${fact.name}`, fact.txId.slice(0, 16)])));
}
