/** Which page answers which path. */

import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { Frame } from './frame.tsx';
import { JobPage } from './pages/job-page.tsx';
import { JobsPage } from './pages/jobs-page.tsx';
import { LedgerPage } from './pages/ledger-page.tsx';
import { SubmitPage } from './pages/submit-page.tsx';

const rootRoute = createRootRoute({ component: Frame });

const jobsRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: JobsPage });
const submitRoute = createRoute({ getParentRoute: () => rootRoute, path: '/submit', component: SubmitPage });
const ledgerRoute = createRoute({ getParentRoute: () => rootRoute, path: '/ledger', component: LedgerPage });
const jobRoute = createRoute({ getParentRoute: () => rootRoute, path: '/console/jobs/$jobId', component: JobRoute });

function JobRoute() {
  const { jobId } = jobRoute.useParams();
  return <JobPage jobId={jobId} />;
}

export const router = createRouter({
  routeTree: rootRoute.addChildren([jobsRoute, submitRoute, ledgerRoute, jobRoute]),
  defaultPreload: false,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
