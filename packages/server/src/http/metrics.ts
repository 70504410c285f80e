/** Figures for Prometheus, in its text format, by prom-client. */

import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { rowOf } from './request.ts';

/** A figure with the labels that tell it from others of its name. */
export interface Labelled {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Figure {
  readonly name: string;
  readonly help: string;
  /** Names of labels; their values must come from short lists of ours. */
  readonly labels?: readonly string[];
  /** Whether it only grows. */
  readonly counts?: true;
}

export interface Metrics {
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** Figures that one look gives together, asked for when somebody looks; a look that fails leaves them out. */
  figures<F extends readonly Figure[]>(figures: F, read: () => Promise<Reading<F>> | Reading<F>): void;
  /** Observes every request of `app`. */
  observe(app: FastifyInstance): void;
}

/** A value for each figure, by its name. */
export type Reading<F extends readonly Figure[]> = {
  readonly [K in F[number]['name']]: number | readonly Labelled[];
};

/** A registry of its own, so that several servers may live in one process. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'assay_' });
  const failed = new Counter({
    name: 'assay_metrics_failures_total',
    help: 'Looks at figures that failed.',
    registers: [registry],
  });
  const looks: (() => Promise<void>)[] = [];
  return {
    async render() {
      await Promise.all(looks.map((look) => look().catch(() => failed.inc())));
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    figures(figures, read) {
      const dials = figures.map((figure) => dialOf(figure, registry));
      looks.push(async () => {
        // What was true at the last look is not known to be true now.
        for (const dial of dials) dial.reset();
        const reading: Record<string, number | readonly Labelled[]> = await read();
        for (const [index, { name }] of figures.entries()) setAll(dials[index], reading[name]);
      });
    },
    observe: (app) => observeRequests(app, registry),
  };
}

/** A metric that is told its value; what only grows is counted elsewhere and read here. */
interface Dial {
  reset(): void;
  set(labels: Record<string, string>, value: number): void;
}

function dialOf({ name, help, labels = [], counts }: Figure, registry: Registry): Dial {
  const described = { name, help, labelNames: [...labels], registers: [registry] };
  if (counts === undefined) return new Gauge(described);
  const counter = new Counter(described);
  return { reset: () => counter.reset(), set: (values, value) => counter.inc(values, value) };
}

function setAll(dial: Dial | undefined, value: number | readonly Labelled[] | undefined): void {
  if (typeof value === 'number') dial?.set({}, value);
  else for (const one of value ?? []) dial?.set({ ...one.labels }, one.value);
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS']);

/**
 * Requests by route and status. A route is its pattern, never the path that was asked for, so that nobody can make
 * series by asking; streams end when their readers leave, so that their length says nothing and is left out.
 */
function observeRequests(app: FastifyInstance, registry: Registry): void {
  const labelNames = ['method', 'route', 'status'] as const;
  const seconds = new Histogram({
    name: 'assay_http_request_seconds',
    help: 'Time to answer, by route and status.',
    labelNames,
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  const requests = new Counter({
    name: 'assay_http_requests_total',
    help: 'Answered requests, by route and status.',
    labelNames,
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    const row = rowOf(request);
    const labels = {
      method: methods.has(request.method) ? request.method : 'other',
      route: row?.path ?? 'none',
      status: String(reply.statusCode),
    };
    requests.inc(labels);
    if (row?.media !== 'text/event-stream') seconds.observe(labels, reply.elapsedTime / 1000);
  });
}
