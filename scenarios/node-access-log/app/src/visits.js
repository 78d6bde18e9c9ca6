'use strict';

/** Counts visits, and visitors told apart by their address. */
class Visits {
  #perAddress = new Map();

  add(address) {
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
  }

  get total() {
    let sum = 0;
    for (const count of this.#perAddress.values()) sum += count;
    return sum;
  }

  get visitors() {
    return this.#perAddress.size;
  }
}

module.exports = { Visits };
