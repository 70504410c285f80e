/** A problem as the server answers it. */

export function problem(code: string): string {
  const rest = { title: 'no', status: 500, detail: 'Something is wrong with it.', details: {}, requestId: 'req_1' };
  return JSON.stringify({ type: `urn:assay:problem:${code}`, code, ...rest });
}
