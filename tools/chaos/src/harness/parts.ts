/** Things to end together, the last one first. */
export class Parts implements AsyncDisposable {
  readonly #parts: (AsyncDisposable | Disposable)[] = [];

  use<Part extends AsyncDisposable | Disposable>(part: Part): Part {
    this.#parts.push(part);
    return part;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const part of this.#parts.splice(0).reverse()) {
      if (Symbol.asyncDispose in part) await part[Symbol.asyncDispose]();
      else part[Symbol.dispose]();
    }
  }
}
