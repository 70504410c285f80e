/** Figures for Prometheus. */

import type { FastifyInstance } from 'fastify';
import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  render(): Promise<{ readonly contentType: string; readonly text: string }>;
  /** A figure that is asked for when somebody looks. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** Observes every request of `app`. */
  observe(app: FastifyInstance): void;
}

/** A registry of its own, so that several servers may live in one process. */
export function openMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'assay_' });
  const seconds = new Histogram({
    name: 'assay_http_request_seconds',
    help: 'Time to answer, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  return {
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    gauge(name, help, read) {
      const gauge: Gauge = new Gauge({
        name,
        help,
        registers: [registry],
        collect: async () => gauge.set(await read()),
      });
    },
    observe(app) {
      app.addHook('onResponse', async (request, reply) => {
        const route = request.routeOptions.url ?? 'static';
        const labels = { method: request.method, route, status: String(reply.statusCode) };
        seconds.observe(labels, reply.elapsedTime / 1000);
      });
    },
  };
}
