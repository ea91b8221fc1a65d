import type { ErrorAnswer } from './error-answer.ts';
import type { EndpointInfo, EndpointStats } from './service-info.ts';

/** Counts what one endpoint did. */
export class EndpointCounts {
  #requests = 0;
  #errors = 0;
  #lastError = '';
  #processingMs = 0;

  received(): void {
    this.#requests++;
  }

  failed({ code, text }: Pick<ErrorAnswer, 'code' | 'text'>): void {
    this.#errors++;
    this.#lastError = `${code}:${text}`;
  }

  processed(durationMs: number): void {
    this.#processingMs += durationMs;
  }

  reset(): void {
    this.#requests = 0;
    this.#errors = 0;
    this.#lastError = '';
    this.#processingMs = 0;
  }

  stats({ name, subject, queue_group }: EndpointInfo): EndpointStats {
    const nanoseconds = Math.round(this.#processingMs * 1e6);
    return {
      name,
      subject,
      queue_group,
      num_requests: this.#requests,
      num_errors: this.#errors,
      last_error: this.#lastError,
      processing_time: nanoseconds,
      average_processing_time: this.#requests === 0 ? 0 : Math.trunc(nanoseconds / this.#requests),
    };
  }
}
