/** The number that a metric job is judged by, read from the text of metrics.json. */

/** The finite number that the object in `text` holds under `name`, or null. */
export function readMetric(text: string, name: string): number | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, name)) return null;
  const metric = (value as Record<string, unknown>)[name];
  return typeof metric === 'number' && Number.isFinite(metric) ? metric : null;
}
