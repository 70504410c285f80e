/** Which page answers which path. */

import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { Frame } from './frame.tsx';
import { AccountPage } from './pages/account-page.tsx';
import { BlockPage } from './pages/block-page.tsx';
import { JobPage, jobSections, type JobSection } from './pages/job-page.tsx';
import { JobsPage } from './pages/jobs-page.tsx';
import { FactsPage, JobHistoryPage, WorkerHistoryPage } from './pages/ledger-history-pages.tsx';
import { LedgerPage } from './pages/ledger-page.tsx';
import { LostPage } from './pages/lost-page.tsx';
import { SubmitPage } from './pages/submit-page.tsx';
import { TransactionPage } from './pages/transaction-page.tsx';

const rootRoute = createRootRoute({ component: Frame, notFoundComponent: LostPage });

const jobsRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: JobsPage });
const accountRoute = createRoute({ getParentRoute: () => rootRoute, path: '/account', component: AccountPage });
const submitRoute = createRoute({ getParentRoute: () => rootRoute, path: '/submit', component: SubmitPage });
const jobRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/jobs/$jobId',
  component: JobRoute,
  /** Which section of the page is open, so that a link can point at it. */
  validateSearch: (search): { section?: JobSection } => {
    const section = jobSections.find((name) => name === search['section']);
    return section === undefined ? {} : { section };
  },
});

function JobRoute() {
  const { jobId } = jobRoute.useParams();
  const { section = 'units' } = jobRoute.useSearch();
  const navigate = jobRoute.useNavigate();
  const open = (next: JobSection) =>
    void navigate({ search: next === 'units' ? {} : { section: next }, replace: true, resetScroll: false });
  return <JobPage key={jobId} jobId={jobId} section={section} onSection={open} />;
}

/** Where a page of a list begins, as its address carries it: a number where it is one. */
interface Paged {
  readonly from?: string | number;
}

function readPaged(search: Record<string, unknown>): Paged {
  const { from } = search;
  if (typeof from === 'number' && Number.isSafeInteger(from) && from >= 0) return { from };
  return typeof from === 'string' && /^\d{1,19}(?:-\d{1,9})?$/.test(from) ? { from } : {};
}

function startOf({ from }: Paged): string | undefined {
  return from === undefined ? undefined : String(from);
}

function searchOf(from: string | undefined): Paged {
  if (from === undefined) return {};
  return { from: Number.isSafeInteger(Number(from)) ? Number(from) : from };
}

const ledgerRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger',
  validateSearch: readPaged,
  component: function Ledger() {
    const navigate = ledgerRoute.useNavigate();
    const before = startOf(ledgerRoute.useSearch());
    return <LedgerPage before={before} onOpen={(from) => void navigate({ search: searchOf(from) })} />;
  },
});

const factsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger/facts',
  validateSearch: readPaged,
  component: function Facts() {
    const navigate = factsRoute.useNavigate();
    const before = startOf(factsRoute.useSearch());
    return <FactsPage before={before} onOpen={(from) => void navigate({ search: searchOf(from) })} />;
  },
});

const blockRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger/blocks/$number',
  validateSearch: readPaged,
  component: function Block() {
    const { number } = blockRoute.useParams();
    const navigate = blockRoute.useNavigate();
    const after = startOf(blockRoute.useSearch());
    const open = (from: string | undefined) => void navigate({ search: searchOf(from) });
    return <BlockPage key={number} number={number} after={after} onOpen={open} />;
  },
});

const placeRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger/blocks/$number/transactions/$index',
  component: function Place() {
    const where = placeRoute.useParams();
    return <TransactionPage where={where} />;
  },
});

const transactionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger/transactions/$txId',
  component: function Transaction() {
    const where = transactionRoute.useParams();
    return <TransactionPage where={where} />;
  },
});

const jobHistoryRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger/jobs/$jobId',
  validateSearch: readPaged,
  component: function JobHistory() {
    const { jobId } = jobHistoryRoute.useParams();
    const navigate = jobHistoryRoute.useNavigate();
    const before = startOf(jobHistoryRoute.useSearch());
    const open = (from: string | undefined) => void navigate({ search: searchOf(from) });
    return <JobHistoryPage key={jobId} jobId={jobId} before={before} onOpen={open} />;
  },
});

const workerHistoryRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/ledger/workers/$workerId',
  validateSearch: readPaged,
  component: function WorkerHistory() {
    const { workerId } = workerHistoryRoute.useParams();
    const navigate = workerHistoryRoute.useNavigate();
    const before = startOf(workerHistoryRoute.useSearch());
    const open = (from: string | undefined) => void navigate({ search: searchOf(from) });
    return <WorkerHistoryPage key={workerId} workerId={workerId} before={before} onOpen={open} />;
  },
});

const explorer = [
  ledgerRoute,
  factsRoute,
  blockRoute,
  placeRoute,
  transactionRoute,
  jobHistoryRoute,
  workerHistoryRoute,
] as const;

export const router = createRouter({
  routeTree: rootRoute.addChildren([jobsRoute, submitRoute, jobRoute, accountRoute, ...explorer]),
  defaultPreload: false,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
