import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Tests of outside programs that fill the machine by themselves: a Docker daemon, a Fabric network, a browser. */
const alone = [
  'packages/ledger/src/fabric/**/*.integration.test.ts',
  'packages/sandbox/src/{docker,images}/**/*.integration.test.ts',
  'packages/sandbox/src/attack/{docker,weakened}.integration.test.ts',
  'packages/testkit/src/console/*.integration.test.ts',
  'packages/testkit/src/system/{fabric-compose,fabric-demo,killed-worker,ledger-away}.integration.test.ts',
];

/** The files that take longest, longest first; a fresh clone has no record of how long they took. */
const longest = ['/simulation/', '/system/', '/attack/', '/trade/crash.', '/wasm/', '/embedded.'];

function rank({ moduleId }: TestSpecification): number {
  const found = longest.findIndex((part) => moduleId.includes(part));
  return found === -1 ? longest.length : found;
}

function group({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder;
}

/** Long files first, so that no core waits at the end for one that began late. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((a, b) => group(a) - group(b) || rank(a) - rank(b));
  }
}

const integration = ['packages/*/src/**/*.integration.test.ts'];
const sharing = { globalSetup: ['packages/store/src/test-server.setup.ts'], hookTimeout: 60_000, maxWorkers: 2 };

/** Groups run one after the other. */
export default defineConfig({
  test: {
    // Machines are slow at times; what hangs is still found.
    testTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // One line a file as it ends; single tests only where they fail or take very long.
    slowTestThreshold: 30_000,
    setupFiles: ['scripts/uncaught.setup.ts'],
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          ...sharing,
          name: 'integration',
          include: integration,
          exclude: alone,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          ...sharing,
          name: 'unit',
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'scripts/**/*.test.ts'],
          exclude: integration,
          // One process for many files: these keep no state between them.
          isolate: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: { ...sharing, name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 3 } },
      },
    ],
  },
});
