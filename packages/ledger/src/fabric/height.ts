/** How many blocks an organisation's peer has. */

import type { Network } from '@hyperledger/fabric-gateway';
import { common } from '@hyperledger/fabric-protos';

/** Asks through the gateway of `network`; -1 where nobody of the organisation answers. */
export async function heightOf(network: Network, mspId: string): Promise<bigint> {
  try {
    const options = { arguments: [network.getName()], endorsingOrganizations: [mspId] };
    const bytes = await network.getContract('qscc').evaluate('GetChainInfo', options);
    return BigInt(common.BlockchainInfo.deserializeBinary(bytes).getHeight());
  } catch {
    return -1n;
  }
}
