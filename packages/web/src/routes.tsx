/** Which page answers which path. */

import { createRootRoute, createRoute, createRouter } from '@tanstack/react-router';
import { Frame } from './frame.tsx';
import { JobPage, jobSections, type JobSection } from './pages/job-page.tsx';
import { JobsPage } from './pages/jobs-page.tsx';
import { LedgerPage } from './pages/ledger-page.tsx';
import { LostPage } from './pages/lost-page.tsx';
import { SubmitPage } from './pages/submit-page.tsx';

const rootRoute = createRootRoute({ component: Frame, notFoundComponent: LostPage });

const jobsRoute = createRoute({ getParentRoute: () => rootRoute, path: '/', component: JobsPage });
const submitRoute = createRoute({ getParentRoute: () => rootRoute, path: '/submit', component: SubmitPage });
const ledgerRoute = createRoute({ getParentRoute: () => rootRoute, path: '/ledger', component: LedgerPage });
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

export const router = createRouter({
  routeTree: rootRoute.addChildren([jobsRoute, submitRoute, ledgerRoute, jobRoute]),
  defaultPreload: false,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
