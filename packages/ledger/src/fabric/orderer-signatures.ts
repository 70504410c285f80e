/** Whether the channel's orderers signed a block: what makes it Fabric's and not somebody's. */

import { verify, X509Certificate, type KeyObject } from 'node:crypto';
import { common, msp } from '@hyperledger/fabric-protos';
import { limits } from '@assay/core';
import { authoritiesOf, consentersOf } from './channel-authorities.ts';
import { headerBytes } from './decode-block.ts';

/** Who signed, as the metadata of a block name it, and the bytes that name them. */
interface Signer {
  readonly id: string;
  readonly key: KeyObject;
  readonly namedBy: Uint8Array;
}

/**
 * Checks blocks against what the channel's first block says; the first itself is signed by nobody. Under Raft one orderer
 * signs; where one of n = 3f + 1 may be a traitor, ⌈(n + f + 1) / 2⌉ must have.
 */
export function ordererSignatures(genesis: common.Block): (block: common.Block) => boolean {
  const consenters = consentersOf(genesis);
  const signerOf = consenters.size > 0 ? consenterSigner(consenters) : memberSigner(genesis);
  const count = consenters.size;
  const needed = count === 0 ? 1 : Math.ceil((count + Math.floor((count - 1) / 3) + 1) / 2);
  return (block) => {
    const header = block.getHeader();
    const [bytes] = block.getMetadata()?.getMetadataList_asU8() ?? [];
    const metadata = bytes && readable(() => common.Metadata.deserializeBinary(bytes));
    if (!header || !metadata) return false;
    const signed = metadata.getSignaturesList().flatMap((one) => {
      const signer = readable(() => signerOf(one));
      if (!signer) return [];
      const message = Buffer.concat([metadata.getValue_asU8(), signer.namedBy, headerBytes(header)]);
      return verify('sha256', message, signer.key, one.getSignature_asU8()) ? [signer.id] : [];
    });
    return new Set(signed).size >= needed;
  };
}

/** What cannot be read names nobody: a peer may send any bytes. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Orderers that the channel's configuration numbers. */
function consenterSigner(consenters: ReadonlyMap<number, string>) {
  const keys = new Map([...consenters].map(([id, pem]) => [id, new X509Certificate(pem).publicKey]));
  return (signature: common.MetadataSignature): Signer | undefined => {
    const namedBy = signature.getIdentifierHeader_asU8();
    const id = common.IdentifierHeader.deserializeBinary(namedBy).getIdentifier();
    const key = keys.get(id);
    return key && { id: String(id), key, namedBy };
  };
}

/** Orderers by the certificate that they sign with. */
function memberSigner(genesis: common.Block) {
  // Of those that order alone: a member's authority can make as many orderers as it likes.
  const roots = authoritiesOf(genesis, ['Orderer']).map(({ mspId, certificate }) => ({
    mspId,
    root: new X509Certificate(certificate),
  }));
  const known = new Map<string, KeyObject | undefined>();
  return (signature: common.MetadataSignature): Signer | undefined => {
    const namedBy = signature.getSignatureHeader_asU8();
    const creator = common.SignatureHeader.deserializeBinary(namedBy).getCreator_asU8();
    const id = Buffer.from(creator).toString('latin1');
    if (!known.has(id)) {
      if (known.size >= limits.ledgerCertificates) known.clear();
      known.set(id, trustedKey(roots, creator));
    }
    const key = known.get(id);
    return key && { id, key, namedBy };
  };
}

/** The key of an orderer's certificate, when an authority of its organisation issued it to an orderer. */
function trustedKey(
  roots: readonly { readonly mspId: string; readonly root: X509Certificate }[],
  creator: Uint8Array,
): KeyObject | undefined {
  const identity = msp.SerializedIdentity.deserializeBinary(creator);
  const text = Buffer.from(identity.getIdBytes_asU8()).toString();
  if (text === '') return undefined;
  const certificate = new X509Certificate(text);
  const isOrderer = /^OU=orderer$/m.test(certificate.subject);
  const isIssued = roots.some(
    ({ mspId, root }) =>
      mspId === identity.getMspid() && certificate.checkIssued(root) && certificate.verify(root.publicKey),
  );
  return isOrderer && isIssued ? certificate.publicKey : undefined;
}
