/** What a channel's first block says of its organisations: their authorities, and who orders where traitors are borne. */

import { common, msp } from '@hyperledger/fabric-protos';
import type { BlockHeader } from '@assay/core';

type Authorities = NonNullable<BlockHeader['genesis']>['authorities'];

function configOf(genesis: common.Block): common.ConfigGroup | undefined {
  const [bytes] = genesis.getData()?.getDataList_asU8() ?? [];
  const payload = common.Payload.deserializeBinary(
    common.Envelope.deserializeBinary(bytes ?? new Uint8Array(0)).getPayload_asU8(),
  );
  return common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig()?.getChannelGroup();
}

/** Organisations that endorse, or those that order. */
type Part = 'Application' | 'Orderer';

/** The organisations of `parts`, each with its authorities; ascending by name. */
export function authoritiesOf(genesis: common.Block, parts: readonly Part[] = ['Application', 'Orderer']): Authorities {
  const channel = configOf(genesis);
  const found: Authorities[number][] = [];
  for (const part of parts) {
    const organizations = channel?.getGroupsMap().get(part)?.getGroupsMap();
    organizations?.forEach((group: common.ConfigGroup) => {
      const value = group.getValuesMap().get('MSP')?.getValue_asU8() ?? new Uint8Array(0);
      const config = msp.FabricMSPConfig.deserializeBinary(msp.MSPConfig.deserializeBinary(value).getConfig_asU8());
      for (const root of config.getRootCertsList_asU8()) {
        found.push({ mspId: config.getName(), certificate: Buffer.from(root).toString() });
      }
    });
  }
  return found.toSorted((a, b) => (a.mspId < b.mspId ? -1 : 1));
}

/** The certificates (PEM) of a Byzantine channel's orderers by their number; empty where Raft orders. */
export function consentersOf(genesis: common.Block): ReadonlyMap<number, string> {
  const value = configOf(genesis)?.getGroupsMap().get('Orderer')?.getValuesMap().get('Orderers')?.getValue_asU8();
  const mapping = common.Orderers.deserializeBinary(value ?? new Uint8Array(0)).getConsenterMappingList();
  return new Map(mapping.map((one) => [one.getId(), Buffer.from(one.getIdentity_asU8()).toString()]));
}
