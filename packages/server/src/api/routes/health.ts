/** What the people who run a server look at. */

import { Type } from 'typebox';
import { Health, Ready } from '../schemas/health.ts';
import { ref } from '../schemas/named.ts';
import { route } from './route.ts';

/** Liveness, readiness, figures and this very description. */
export const healthRoutes = {
  health: route({
    method: 'GET',
    path: '/health',
    tag: 'operations',
    summary: 'Whether this process answers.',
    access: 'probe',
    status: 200,
    reply: ref(Health),
    refuses: [],
  }),
  healthLive: route({
    method: 'GET',
    path: '/health/live',
    tag: 'operations',
    summary: 'The same; for supervisors that restart what does not answer.',
    access: 'probe',
    status: 200,
    reply: ref(Health),
    refuses: [],
  }),
  ready: route({
    method: 'GET',
    path: '/ready',
    tag: 'operations',
    summary:
      'Whether database, ledger and objects answer, and how far the market lags behind its ledger; 503 where one does not.',
    access: 'probe',
    status: 200,
    reply: ref(Ready),
    refuses: ['server.stopping'],
  }),
  healthReady: route({
    method: 'GET',
    path: '/health/ready',
    tag: 'operations',
    summary: 'The same; for what spreads requests over several servers.',
    access: 'probe',
    status: 200,
    reply: ref(Ready),
    refuses: ['server.stopping'],
  }),
  metrics: route({
    method: 'GET',
    path: '/metrics',
    tag: 'operations',
    summary: 'Prometheus metrics; from loopback or with an operator’s key.',
    access: 'probe',
    status: 200,
    media: 'text/plain',
    refuses: ['auth.forbidden'],
  }),
  openapi: route({
    method: 'GET',
    path: '/openapi.json',
    tag: 'operations',
    summary: 'This document.',
    access: 'probe',
    status: 200,
    reply: Type.Object({}, { additionalProperties: true }),
    refuses: [],
  }),
};
