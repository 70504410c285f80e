/** One question to a worker of ours, so that long computing does not hold up the page. */

/** The worker's answer to `question`; it ends afterwards. Rejects when it fails or `signal` aborts. */
export function inWorker<Answer>(worker: Worker, question: unknown, signal?: AbortSignal): Promise<Answer> {
  const answer = new Promise<Answer>((resolve, reject) => {
    worker.addEventListener('message', (event: MessageEvent<Answer>) => resolve(event.data));
    worker.addEventListener('error', (event) => reject(new Error(event.message || 'the worker could not be loaded')));
    signal?.addEventListener('abort', () => reject(new Error('called off')), { once: true });
  });
  worker.postMessage(question, []);
  return answer.finally(() => worker.terminate());
}
