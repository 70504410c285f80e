export { openDiskStore, type DiskStoreDeps } from './disk-store.ts';
export { keyringOf, openKeyring, type Keyring, type RegionKeys } from './keyring.ts';
