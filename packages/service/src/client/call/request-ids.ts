/** The ids of a client's requests: decimal numbers from 0, unique to the client. (Go Micro counts the same way.) */
export class RequestIds {
  #next = 0;

  next(): string {
    return String(this.#next++);
  }
}
