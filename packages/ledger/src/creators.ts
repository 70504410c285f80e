/** Whose certificate signed a transaction: members of the organisations whose authorities block 0 names. */

import { createHash, X509Certificate } from 'node:crypto';
import { limits } from '@assay/core';
import { rawPublicKey } from './certificate.ts';
import type { Member } from './keys.ts';

/** A member as the ledger checks its signatures. */
export interface Creator extends Member {
  /** The 32 bytes of the ed25519 public key, hex. */
  readonly publicKey: string;
}

/** The holder of a certificate (PEM), or undefined where no named authority issued it or its key is of another kind. */
export type FindCreator = (certificate: string) => Creator | undefined;

/** Certificates hold for as long as the ledger does, so whom one names never changes: what was read once is kept. */
export function creatorsUnder(authorities: readonly Readonly<{ mspId: string; certificate: string }>[]): FindCreator {
  const issuers = authorities.flatMap(({ mspId, certificate }) => {
    const parsed = certificateIn(certificate);
    return parsed ? [{ mspId, certificate: parsed }] : [];
  });
  const known = new Map<string, Creator | undefined>();
  return (certificate) => {
    if (known.has(certificate)) return known.get(certificate);
    const creator = creatorOf(certificate, issuers);
    if (known.size >= limits.ledgerCertificates) known.clear();
    known.set(certificate, creator);
    return creator;
  };
}

function creatorOf(
  pem: string,
  issuers: readonly Readonly<{ mspId: string; certificate: X509Certificate }>[],
): Creator | undefined {
  const parsed = certificateIn(pem);
  // One certificate has one text: otherwise it could stand in the ledger's tables under any number of fingerprints.
  if (!parsed || parsed.toString() !== pem || parsed.ca || parsed.publicKey.asymmetricKeyType !== 'ed25519')
    return undefined;
  const issuer = issuers.find(
    ({ certificate }) => parsed.checkIssued(certificate) && parsed.verify(certificate.publicKey),
  );
  if (!issuer) return undefined;
  return {
    mspId: issuer.mspId,
    certificate: pem,
    fingerprint: createHash('sha256').update(pem).digest('hex'),
    publicKey: rawPublicKey(parsed.publicKey).toString('hex'),
  };
}

function certificateIn(pem: string): X509Certificate | undefined {
  if (pem.length > limits.ledgerCertificateChars) return undefined;
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
