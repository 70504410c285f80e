/** What a session was opened with, in words of our own: what a client says of itself is not repeated to anybody. */

const browsers: readonly (readonly [sign: RegExp, name: string])[] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:Chrome|Chromium|HeadlessChrome|CriOS)\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
  [/^curl\//, 'curl'],
  [/^node\b/, 'Node.js'],
];

// Android calls itself Linux too, and an iPhone like Mac OS.
const systems: readonly (readonly [sign: RegExp, name: string])[] = [
  [/\bAndroid\b/, 'Android'],
  [/\b(?:iPhone|iPad)\b/, 'iOS'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
];

/** For a client that says nothing of itself, or nothing that is known here. */
export const unknownClient = 'another program';

/** `Firefox on Linux`, from a User-Agent header. */
export function clientKind(userAgent: string | undefined): string {
  const text = userAgent?.slice(0, 512) ?? '';
  const name = (table: typeof browsers): string | undefined => table.find(([sign]) => sign.test(text))?.[1];
  const [browser, system] = [name(browsers), name(systems)];
  if (browser === undefined) return unknownClient;
  return system === undefined ? browser : `${browser} on ${system}`;
}
