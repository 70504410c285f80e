/** The gateway for programs with client certificates, where one is configured. */

import type { Clock, IdSource } from '@assay/core';
import type { FastifyBaseLogger } from 'fastify';
import type { Config } from './config.ts';
import { openGateway, type Gateway } from './gateway/listener.ts';
import { answerMalformedHttp } from './http/problems.ts';
import type { Server } from './server.ts';

type GatewayConfig = Pick<
  Config,
  'gatewayPort' | 'gatewayHost' | 'gatewayCertificate' | 'gatewayKey' | 'gatewayAuthorities' | 'gatewayClients'
>;

export interface GatewayParts {
  readonly clock: Clock;
  readonly ids: IdSource;
  readonly log: FastifyBaseLogger;
}

/** Opens the configured gateway to `server`; refuses what its files are refused for. */
export async function openConfiguredGateway(
  config: GatewayConfig,
  { app, peers }: Pick<Server, 'app' | 'peers'>,
  { clock, ids, log }: GatewayParts,
): Promise<Gateway | undefined> {
  const { gatewayCertificate: certificate, gatewayKey: key, gatewayAuthorities: authorities } = config;
  const { gatewayPort: port, gatewayHost: host, gatewayClients: clients } = config;
  // The configuration has seen to it that they come together.
  if (port === undefined || !certificate || !key || !authorities || !clients) return undefined;
  const gateway = await openGateway({
    paths: { certificate, key, authorities, clients },
    host,
    port,
    peers,
    clock,
    log,
    answer: (request, response) => app.routing(request, response),
    answerMalformed: answerMalformedHttp(ids),
  });
  log.info({ url: gateway.url }, 'the ledger’s gateway is open');
  return gateway;
}
