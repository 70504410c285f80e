/** Sending a bundle as multipart/form-data, with progress. */

import { limits } from '@assay/core';
import { freshKey, readJson, send, type CallOptions, type Transport } from './call.ts';
import { failureOf, unreachable } from './failure.ts';
import type { CreatedJob } from './generated/types.ts';

/** Bytes sent so far and in all. */
export type Progress = (sentBytes: number, totalBytes: number) => void;

/** Uploads a zip and creates a job of it. */
export async function uploadBundle(
  transport: Transport,
  bundle: Blob,
  options: CallOptions & { readonly onProgress?: Progress } = {},
): Promise<CreatedJob> {
  const key = options.idempotencyKey ?? freshKey();
  const timeoutMs = options.timeoutMs ?? limits.clientUploadMs;
  if (options.onProgress && typeof XMLHttpRequest !== 'undefined') {
    return uploadInBrowser(transport, bundle, key, { ...options, timeoutMs });
  }
  const boundary = `assay-${freshKey()}`;
  const response = await send(
    transport,
    {
      method: 'POST',
      target: '/contracts/create',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'idempotency-key': key },
      body: () => multipartStream(bundle, boundary, options.onProgress),
      repeatable: true,
    },
    { ...options, timeoutMs },
  );
  return (await readJson(response)) as CreatedJob;
}

/** The multipart body as a stream, so that a large zip never stands in memory. */
function multipartStream(bundle: Blob, boundary: string, onProgress?: Progress): ReadableStream<Uint8Array> {
  const head =
    `--${boundary}\r\ncontent-disposition: form-data; name="bundle"; filename="bundle.zip"\r\n` +
    'content-type: application/zip\r\n\r\n';
  const encoder = new TextEncoder();
  const reader = bundle.stream().getReader();
  let sent = 0;
  let opened = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (!opened) {
        opened = true;
        controller.enqueue(encoder.encode(head));
        return;
      }
      const { done, value } = await reader.read();
      if (done) {
        controller.enqueue(encoder.encode(`\r\n--${boundary}--\r\n`));
        controller.close();
        return;
      }
      sent += value.length;
      onProgress?.(sent, bundle.size);
      controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Browsers report upload progress only through XMLHttpRequest. */
function uploadInBrowser(
  transport: Transport,
  bundle: Blob,
  key: string,
  options: CallOptions & { readonly onProgress?: Progress; readonly timeoutMs: number },
): Promise<CreatedJob> {
  const form = new FormData();
  form.append('bundle', bundle, 'bundle.zip');
  const { promise, resolve, reject } = Promise.withResolvers<CreatedJob>();
  const request = new XMLHttpRequest();
  request.open('POST', `${transport.baseUrl}/contracts/create`);
  for (const [name, value] of Object.entries(transport.headers())) request.setRequestHeader(name, value);
  request.setRequestHeader('idempotency-key', key);
  request.timeout = options.timeoutMs;
  request.upload.addEventListener('progress', (event) => options.onProgress?.(event.loaded, event.total));
  request.addEventListener('load', () => {
    const response = new Response(request.responseText, { status: request.status });
    if (response.ok) readJson(response).then((job) => resolve(job as CreatedJob), reject);
    else failureOf(response).then(reject, reject);
  });
  for (const event of ['error', 'timeout']) request.addEventListener(event, () => reject(unreachable(event)));
  request.addEventListener('abort', () =>
    reject((options.signal?.reason as Error | undefined) ?? unreachable('abort')),
  );
  options.signal?.addEventListener('abort', () => request.abort(), { once: true });
  request.send(form);
  return promise;
}
