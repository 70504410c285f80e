import { createHash } from 'node:crypto';
import { memoryObjectStore } from './memory-object-store.ts';
import { objectStoreConformance } from './object-store.conformance.ts';

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

objectStoreConformance('memory', async () => ({ store: memoryObjectStore(sha256) }));
objectStoreConformance('memory, small chunks', async () => ({ store: memoryObjectStore(sha256, 3_000) }));
