/** Whether an orderer of the channel signed a block: what makes it Fabric's and not somebody's. */

import { verify, X509Certificate } from 'node:crypto';
import { common, msp } from '@hyperledger/fabric-protos';
import type { BlockHeader } from '@assay/core';
import { headerBytes } from './decode-block.ts';

type Authorities = NonNullable<BlockHeader['genesis']>['authorities'];

/** Checks blocks against the authorities that the channel's first block names. The first itself is signed by nobody. */
export function ordererSignatures(authorities: Authorities): (block: common.Block) => boolean {
  const roots = authorities.map(({ mspId, certificate }) => ({ mspId, root: new X509Certificate(certificate) }));
  const known = new Map<string, X509Certificate | undefined>();
  const signerOf = (creator: Uint8Array): X509Certificate | undefined => {
    const id = Buffer.from(creator).toString('latin1');
    if (!known.has(id)) known.set(id, trusted(roots, creator));
    return known.get(id);
  };
  return (block) => {
    const header = block.getHeader();
    const [bytes] = block.getMetadata()?.getMetadataList_asU8() ?? [];
    if (!header || !bytes) return false;
    const metadata = common.Metadata.deserializeBinary(bytes);
    return metadata.getSignaturesList().some((one) => {
      const signatureHeader = one.getSignatureHeader_asU8();
      const signer = signerOf(common.SignatureHeader.deserializeBinary(signatureHeader).getCreator_asU8());
      const signed = Buffer.concat([metadata.getValue_asU8(), signatureHeader, headerBytes(header)]);
      return signer !== undefined && verify('sha256', signed, signer.publicKey, one.getSignature_asU8());
    });
  };
}

/** The orderer's certificate, when an authority of its organisation issued it to an orderer. */
function trusted(
  roots: readonly { readonly mspId: string; readonly root: X509Certificate }[],
  creator: Uint8Array,
): X509Certificate | undefined {
  const identity = msp.SerializedIdentity.deserializeBinary(creator);
  const text = Buffer.from(identity.getIdBytes_asU8()).toString();
  if (text === '') return undefined;
  const certificate = new X509Certificate(text);
  const isOrderer = /^OU=orderer$/m.test(certificate.subject);
  const isIssued = roots.some(
    ({ mspId, root }) =>
      mspId === identity.getMspid() && certificate.checkIssued(root) && certificate.verify(root.publicKey),
  );
  return isOrderer && isIssued ? certificate : undefined;
}
