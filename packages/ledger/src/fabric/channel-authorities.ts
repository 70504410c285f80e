/** The organisations of a channel and the certificates of their authorities, from the channel's first block. */

import { common, msp } from '@hyperledger/fabric-protos';
import type { BlockHeader } from '@assay/core';

type Authorities = NonNullable<BlockHeader['genesis']>['authorities'];

/** Organisations that endorse, and those that order, each with its authorities; ascending by name. */
export function authoritiesOf(genesis: common.Block): Authorities {
  const [bytes] = genesis.getData()?.getDataList_asU8() ?? [];
  const payload = common.Payload.deserializeBinary(
    common.Envelope.deserializeBinary(bytes ?? new Uint8Array(0)).getPayload_asU8(),
  );
  const channel = common.ConfigEnvelope.deserializeBinary(payload.getData_asU8()).getConfig()?.getChannelGroup();
  const found: Authorities[number][] = [];
  for (const part of ['Application', 'Orderer']) {
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
