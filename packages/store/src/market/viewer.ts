/** Who looks at jobs: what a reader is shown depends on it, in the query itself. */

/** `all` is true for operators, arbiters and auditors; others see their own jobs and the replicas of their workers. */
export interface Viewer {
  readonly account: string;
  readonly all: boolean;
}

/** SQL: whether account `$1` (or anyone who sees all, `$2`) is the customer's side of job `j`. */
export const ownsJob = '($2::boolean OR j.customer_id = $1)';

/** SQL: whether job `j` may be seen at all: by its customer, by who ran a replica of it, or by who sees all. */
export const seesJob = `(${ownsJob} OR EXISTS (SELECT FROM job_party p WHERE p.owner_id = $1 AND p.job_id = j.id))`;
