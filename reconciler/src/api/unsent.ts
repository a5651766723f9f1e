/** What lies in memory because clients do not take their answers. */

/** A connection that answers are sent on. */
export interface Cuttable {
  /** Bytes of answers that the client has not taken yet. Kept by {@link Unsent}. */
  unsent: number;
  /** Ends the connection at once. */
  cut(): void;
}

export interface UnsentLimits {
  /** Bytes that one connection may leave lying before it is cut off. */
  one: number;
  /** Bytes that all may leave lying before the one that leaves most is cut off. */
  all: number;
}

export class Unsent {
  readonly #limits: UnsentLimits;
  readonly #lying = new Set<Cuttable>();
  #bytes = 0;
  #cut = 0;

  constructor(limits: UnsentLimits) {
    this.#limits = limits;
  }

  /** Of all connections. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Connections that were cut off. */
  get cut(): number {
    return this.#cut;
  }

  /** An answer of so many bytes is on its way. The function is to be called once: when it has left, or never will. */
  add(connection: Cuttable, bytes: number): () => void {
    connection.unsent += bytes;
    this.#bytes += bytes;
    this.#lying.add(connection);
    if (connection.unsent > this.#limits.one) this.#end(connection);
    else if (this.#bytes > this.#limits.all) this.#end(this.#largest(connection));
    return () => {
      connection.unsent -= bytes;
      this.#bytes -= bytes;
      if (connection.unsent === 0) this.#lying.delete(connection);
    };
  }

  #largest(among: Cuttable): Cuttable {
    let most = among;
    for (const each of this.#lying) if (each.unsent > most.unsent) most = each;
    return most;
  }

  #end(connection: Cuttable): void {
    this.#cut++;
    connection.cut();
  }
}
